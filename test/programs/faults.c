/* Fails in the way its argument names: what each kind of trap looks like from outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int zero;

__attribute__((noinline)) static int divides(int by) { return 7 / by; }
__attribute__((noinline)) static int reads_outside(void) { return *(volatile int *)0xfffffff0u; }
__attribute__((noinline)) static int recurses(volatile int *before) {
  volatile int here[16];
  here[0] = before[0] + 1;
  const int deeper = recurses(here);
  return deeper + here[0];
}
__attribute__((noinline)) static int calls_wrongly(void) {
  int (*volatile function)(int, int) = (int (*)(int, int))(void *)divides;
  return function(1, 2);
}
__attribute__((noinline)) static void loops(void) {
  for (volatile unsigned at = 0;; at++) continue;
}
__attribute__((noinline)) static int hoards(void) {
  for (;;) {
    char *volatile more = malloc(1 << 20); /* volatile, or the compiler sees that nobody needs the memory */
    if (more == NULL) return 3;
    memset(more, 1, 1 << 20);
  }
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  printf("about to: %s\n", how);
  fflush(stdout);
  if (strcmp(how, "abort") == 0) abort();
  if (strcmp(how, "divide") == 0) return divides(zero);
  if (strcmp(how, "outside") == 0) return reads_outside();
  if (strcmp(how, "recurse") == 0) return recurses((volatile int[16]){0}) & 1;
  if (strcmp(how, "call") == 0) return calls_wrongly();
  if (strcmp(how, "loop") == 0) loops();
  if (strcmp(how, "hoard") == 0) return hoards();
  return 2;
}
