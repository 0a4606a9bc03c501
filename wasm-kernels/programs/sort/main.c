/* The same numbers sorted three ways: our quicksort, the library's qsort (calls through a pointer), and a binary tree of
   malloc'd nodes. Prints a checksum of each, which must agree.
     sort [count]        1..50000000 (default 400000) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t next_random(uint32_t *state) {
  *state ^= *state << 13, *state ^= *state >> 17, *state ^= *state << 5;
  return *state;
}

/* Recurses into the shorter part only, so that the depth stays logarithmic. */
static void quicksort(uint32_t *numbers, long low, long high) {
  while (low < high) {
    const uint32_t pivot = numbers[low + (high - low) / 2];
    long i = low - 1, j = high + 1;
    for (;;) {
      do i++; while (numbers[i] < pivot);
      do j--; while (numbers[j] > pivot);
      if (i >= j) break;
      const uint32_t swap = numbers[i];
      numbers[i] = numbers[j], numbers[j] = swap;
    }
    if (j - low < high - j) quicksort(numbers, low, j), low = j + 1;
    else quicksort(numbers, j + 1, high), high = j;
  }
}

static int by_value(const void *left, const void *right) {
  const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

struct node {
  struct node *children[2];
  uint32_t value, count;
};

static void insert(struct node **at, uint32_t value) {
  while (*at != NULL && (*at)->value != value) at = &(*at)->children[value > (*at)->value];
  if (*at == NULL) {
    *at = calloc(1, sizeof **at);
    if (*at == NULL) {
      fprintf(stderr, "sort: not enough memory\n");
      exit(1);
    }
    (*at)->value = value;
  }
  (*at)->count++;
}

/* Writes the tree's values in order and frees it. */
static uint32_t *drain(struct node *node, uint32_t *to) {
  if (node == NULL) return to;
  to = drain(node->children[0], to);
  for (uint32_t left = node->count; left > 0; left--) *to++ = node->value;
  to = drain(node->children[1], to);
  free(node);
  return to;
}

/* Depends on every number and on their order; says when they are out of order. */
static void report(const char *name, const uint32_t *numbers, long count) {
  uint64_t checksum = 14695981039346656037ULL;
  int ordered = 1;
  for (long at = 0; at < count; at++) {
    checksum = (checksum ^ numbers[at]) * 1099511628211ULL;
    ordered &= at == 0 || numbers[at - 1] <= numbers[at];
  }
  printf("%-9s %ld numbers %s, checksum %016llx\n", name, count, ordered ? "in order" : "NOT IN ORDER", (unsigned long long)checksum);
}

int main(int argc, char **argv) {
  const long count = argc > 1 ? atol(argv[1]) : 400000;
  if (count < 1 || count > 50000000) {
    fprintf(stderr, "sort: count must be from 1 to 50000000\n");
    return 2;
  }
  const size_t bytes = (size_t)count * sizeof(uint32_t);
  uint32_t *original = malloc(bytes), *numbers = malloc(bytes);
  if (original == NULL || numbers == NULL) {
    fprintf(stderr, "sort: not enough memory\n");
    return 1;
  }
  uint32_t state = 2463534242u;
  for (long at = 0; at < count; at++) original[at] = next_random(&state) >> 8;

  memcpy(numbers, original, bytes);
  quicksort(numbers, 0, count - 1);
  report("quicksort", numbers, count);

  memcpy(numbers, original, bytes);
  qsort(numbers, (size_t)count, sizeof numbers[0], by_value);
  report("qsort", numbers, count);

  struct node *root = NULL;
  for (long at = 0; at < count; at++) insert(&root, original[at]);
  drain(root, numbers);
  report("tree", numbers, count);
  free(original);
  free(numbers);
  return 0;
}
