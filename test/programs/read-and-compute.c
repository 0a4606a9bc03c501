/* Reads its input line by line, computing between lines, and prints each with what it has computed so far: what is lost, repeated or read twice
   shows. Then it computes on for as long as it is told.
     read-and-compute [work] [more]      thousands of steps after each line, and at the end */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t state = 2463534242u;

static void compute(long steps) {
  for (long at = 0; at < steps; at++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
  }
}

int main(int argc, char **argv) {
  const long work = argc > 1 ? atol(argv[1]) * 1000 : 1000;
  const long more = argc > 2 ? atol(argv[2]) * 1000 : 0;
  char line[200];
  setvbuf(stdout, NULL, _IOLBF, 4096);
  while (fgets(line, sizeof line, stdin)) {
    compute(work);
    printf("%08x %s", (unsigned)state, line);
  }
  compute(more);
  printf("end %08x\n", (unsigned)state);
  return 0;
}
