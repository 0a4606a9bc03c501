// Writes without a buffer, a byte at a time, as programs do that were made for a terminal. Arguments: bytes.
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  long bytes = argc > 1 ? atol(argv[1]) : 1000;
  for (long at = 0; at < bytes; at++) putchar(at % 64 == 63 ? '\n' : 'a' + at % 26);
  return 0;
}
