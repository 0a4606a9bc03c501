/* Pointer chasing: a ring of nodes in random order, followed for a number of steps, so that nearly every step waits for memory; then the
   ring is taken apart into a search tree and the tree is walked.
     chase [nodes] [steps]        nodes 2..20000000 (default 200000), steps 1..2000000000 (default 20000000) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
  struct node *next, *left, *right;
  uint64_t key;
};

static uint64_t state = 0x9e3779b97f4a7c15u;
static uint64_t draw(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

/* Without recursion, as the tree of unlucky keys is deep. */
static void insert(struct node **root, struct node *node) {
  while (*root) root = node->key < (*root)->key ? &(*root)->left : &(*root)->right;
  *root = node;
}

static uint64_t walk(const struct node *node, unsigned depth) {
  uint64_t sum = 0;
  while (node) {
    sum = sum * 31 + walk(node->left, depth + 1) + (node->key ^ depth);
    node = node->right;
  }
  return sum;
}

int main(int argc, char **argv) {
  const long nodes = argc > 1 ? atol(argv[1]) : 200000;
  const long steps = argc > 2 ? atol(argv[2]) : 20000000;
  if (nodes < 2 || nodes > 20000000 || steps < 1 || steps > 2000000000) {
    fprintf(stderr, "chase: nodes must be from 2 to 20000000, steps from 1 to 2000000000\n");
    return 2;
  }
  struct node *ring = calloc((size_t)nodes, sizeof *ring);
  long *order = malloc((size_t)nodes * sizeof *order);
  if (!ring || !order) {
    fprintf(stderr, "chase: not enough memory for %ld nodes\n", nodes);
    return 1;
  }
  for (long at = 0; at < nodes; at++) order[at] = at;
  for (long at = nodes - 1; at > 0; at--) {
    const long with = (long)(draw() % (uint64_t)(at + 1));
    const long kept = order[at];
    order[at] = order[with];
    order[with] = kept;
  }
  for (long at = 0; at < nodes; at++) {
    ring[order[at]].key = draw();
    ring[order[at]].next = &ring[order[(at + 1) % nodes]];
  }
  uint64_t sum = 0;
  const struct node *node = ring;
  for (long at = 0; at < steps; at++) {
    sum += node->key ^ (uint64_t)at;
    node = node->next;
  }
  struct node *root = NULL;
  for (long at = 0; at < nodes; at++) insert(&root, &ring[at]);
  printf("%ld nodes, %ld steps, sum %016llx, tree %016llx\n", nodes, steps, (unsigned long long)sum,
         (unsigned long long)walk(root, 0));
  free(order);
  free(ring);
  return 0;
}
