/* Deep recursion, twice: the Ackermann function A(3, n), which goes 2^(n+3) - 3 calls deep (16,381 for n = 11), and a chain of
   calls of a chosen depth, each with data of its own on the stack that is needed again on the way back.
     ackermann [n] [depth] [chains]        n 0..12 (default 9), depth 1..1000000 (default 8000; about 48 bytes of C stack each),
                                           chains 1..1000000 (default 2000)

   V8 keeps about 1 MB of stack of its own beside the 8 MiB of the program: some 12,000 frames of unoptimised code. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long long calls;

__attribute__((noinline)) static unsigned ackermann(unsigned m, unsigned n) {
  calls++;
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  const unsigned inner = ackermann(m, n - 1);
  return ackermann(m - 1, inner);
}

/* Writes into its own frame, goes deeper, and reads the frame again: a frame that is lost or mixed up changes the result. */
__attribute__((noinline)) static uint32_t descend(int depth, uint32_t value) {
  volatile uint32_t frame[4];
  for (int at = 0; at < 4; at++) frame[at] = value = value * 1664525u + 1013904223u;
  const uint32_t below = depth > 1 ? descend(depth - 1, value) : 0;
  return below * 31 + (frame[0] ^ frame[1] ^ frame[2] ^ frame[3]);
}

int main(int argc, char **argv) {
  const int n = argc > 1 ? atoi(argv[1]) : 9, depth = argc > 2 ? atoi(argv[2]) : 8000;
  const int chains = argc > 3 ? atoi(argv[3]) : 2000;
  if (n < 0 || n > 12 || depth < 1 || depth > 1000000 || chains < 1 || chains > 1000000) {
    fprintf(stderr, "ackermann: n must be from 0 to 12, depth and chains from 1 to 1000000\n");
    return 2;
  }
  const unsigned result = ackermann(3, (unsigned)n);
  printf("A(3, %d) = %u in %llu calls\n", n, result, calls);
  uint32_t sum = 0;
  for (int round = 0; round < chains; round++) sum = sum * 17 + descend(depth, (uint32_t)round);
  printf("%d chains of %d calls, checksum %08x\n", chains, depth, (unsigned)sum);
  return 0;
}
