// What a process does that can only be answered by its home, in a program that is pinned.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  char buffer[64];
  size_t total = 0;
  for (ssize_t got; (got = read(0, buffer, 7)) > 0;) total += got;
  printf("read %zu bytes\n", total);
  int ends[2];
  if (pipe(ends) != 0) return 1;
  if (write(ends[1], "hello", 6) != 6 || read(ends[0], buffer, sizeof buffer) != 6) return 2;
  printf("pipe: %s\n", buffer);
  fflush(stdout);
  if (fork() == -1) printf("fork: %s\n", strerror(errno));
  return 3;
}
