/* One loop in which only a vector is alive: what it holds is different at every poll.   vector [turns] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint32_t words __attribute__((vector_size(16)));

int main(int argc, char **argv) {
  const long turns = argc > 1 ? atol(argv[1]) : 1000000;
  words state = {1, 2, 3, 4};
  for (long at = 0; at < turns; at++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
  }
  printf("%08x %08x %08x %08x\n", state[0], state[1], state[2], state[3]);
  return 0;
}
