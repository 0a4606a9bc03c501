/* One loop in main with no call in it: code that an engine without on-stack replacement never leaves for a better compilation,
   and that can be interrupted only inside the loop. Collects a Monte Carlo estimate of pi in whole numbers.
     longloop [rounds]        1..100000000000 (default 200000000) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  const long long rounds = argc > 1 ? atoll(argv[1]) : 200000000;
  if (rounds < 1 || rounds > 100000000000) {
    fprintf(stderr, "longloop: rounds must be from 1 to 100000000000\n");
    return 2;
  }
  uint64_t state = 88172645463325252ULL;
  long long inside = 0;
  for (long long at = 0; at < rounds; at++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const uint64_t x = state & 0x7fffffff, y = state >> 32 & 0x7fffffff;
    inside += x * x + y * y < 1ULL << 62;
  }
  printf("%lld rounds, %lld inside, pi is about %.4f, state %016llx\n", rounds, inside, 4.0 * (double)inside / (double)rounds,
         (unsigned long long)state);
  return 0;
}
