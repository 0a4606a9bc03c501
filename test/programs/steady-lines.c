/* Prints numbered lines to stdout with computation between them, every tenth also to stderr, unbuffered as far as lines go: what a
   line lost or repeated would show in.
     steady-lines [lines] [work]        work: thousands of steps between lines */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  const int lines = argc > 1 ? atoi(argv[1]) : 2000;
  const long work = argc > 2 ? atol(argv[2]) * 1000 : 500000;
  uint32_t state = 2463534242u;
  setvbuf(stdout, NULL, _IOLBF, 4096);
  for (int line = 1; line <= lines; line++) {
    for (long at = 0; at < work; at++) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
    }
    printf("line %d of %d, state %08x\n", line, lines, (unsigned)state);
    if (line % 10 == 0) fprintf(stderr, "note %d, state %08x\n", line, (unsigned)state);
  }
  return 0;
}
