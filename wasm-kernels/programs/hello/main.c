/* Prints a greeting and its arguments: the smallest program that shows a process ran and where its output went. */
#include <stdio.h>

int main(int argc, char **argv) {
  printf("Hello from a Nightshift process.\n");
  for (int at = 1; at < argc; at++) printf("argument %d: %s\n", at, argv[at]);
  return 0;
}
