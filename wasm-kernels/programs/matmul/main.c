/* The product of two square matrices of doubles, in blocks that fit the cache; prints its trace and the sum of its elements.
     matmul [size]        rows and columns, 1..4000 (default 512) */
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 64 };

static int least(int a, int b) { return a < b ? a : b; }

/* Small whole numbers, so that every sum is exact and the result the same in any order of additions. */
static void fill(double *matrix, int size, unsigned seed) {
  for (int at = 0; at < size * size; at++) {
    seed = seed * 1664525u + 1013904223u;
    matrix[at] = (double)(seed >> 28) - 8;
  }
}

static void multiply(const double *a, const double *b, double *product, int size) {
  for (int row = 0; row < size; row += BLOCK) {
    for (int inner = 0; inner < size; inner += BLOCK) {
      for (int i = row; i < least(row + BLOCK, size); i++) {
        for (int k = inner; k < least(inner + BLOCK, size); k++) {
          const double factor = a[i * size + k];
          for (int j = 0; j < size; j++) product[i * size + j] += factor * b[k * size + j];
        }
      }
    }
  }
}

int main(int argc, char **argv) {
  const int size = argc > 1 ? atoi(argv[1]) : 512;
  if (size < 1 || size > 4000) {
    fprintf(stderr, "matmul: size must be from 1 to 4000\n");
    return 2;
  }
  const size_t elements = (size_t)size * (size_t)size;
  double *a = malloc(elements * sizeof *a), *b = malloc(elements * sizeof *b), *product = calloc(elements, sizeof *product);
  if (!a || !b || !product) {
    fprintf(stderr, "matmul: not enough memory\n");
    return 1;
  }
  fill(a, size, 1);
  fill(b, size, 2);
  multiply(a, b, product, size);
  double trace = 0, sum = 0;
  for (int i = 0; i < size; i++) {
    trace += product[(size_t)i * (size_t)size + (size_t)i];
    for (int j = 0; j < size; j++) sum += product[(size_t)i * (size_t)size + (size_t)j] * ((i + j) % 7);
  }
  printf("%d x %d, trace %.0f, sum %.0f\n", size, size, trace, sum);
  free(a);
  free(b);
  free(product);
  return 0;
}
