/* Queens on a board of n x n, none of which threatens another: recursion with a loop in it, many short calls, whole numbers only.
     queens [n]        1..20 (default 11) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Columns and both diagonals that are taken, as bits. */
static uint64_t place(uint32_t all, uint32_t columns, uint32_t rising, uint32_t falling) {
  if (columns == all) return 1;
  uint64_t found = 0;
  for (uint32_t free = all & ~(columns | rising | falling); free;) {
    const uint32_t queen = free & -free;
    free ^= queen;
    found += place(all, columns | queen, (rising | queen) << 1, (falling | queen) >> 1);
  }
  return found;
}

int main(int argc, char **argv) {
  const int n = argc > 1 ? atoi(argv[1]) : 11;
  if (n < 1 || n > 20) {
    fprintf(stderr, "queens: n must be from 1 to 20\n");
    return 2;
  }
  printf("%d queens: %llu ways\n", n, (unsigned long long)place((1u << n) - 1, 0, 0, 0));
  return 0;
}
