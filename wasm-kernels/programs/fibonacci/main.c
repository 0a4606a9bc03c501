/* Fibonacci numbers by plain recursion: measures calls and nothing else.
     fibonacci [n]        n 0..60 (default 38) */
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static unsigned long long fib(int n) { return n < 2 ? (unsigned long long)n : fib(n - 1) + fib(n - 2); }

int main(int argc, char **argv) {
  const int n = argc > 1 ? atoi(argv[1]) : 38;
  if (n < 0 || n > 60) {
    fprintf(stderr, "fibonacci: n must be from 0 to 60\n");
    return 2;
  }
  printf("fib(%d) = %llu\n", n, fib(n));
  return 0;
}
