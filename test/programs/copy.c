/* Copies standard input to standard output, and says on stderr how many bytes there were. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
  char buffer[5000];
  long bytes = 0;
  for (ssize_t got; (got = read(STDIN_FILENO, buffer, sizeof buffer)) > 0; bytes += got) {
    for (ssize_t at = 0; at < got;) {
      const ssize_t put = write(STDOUT_FILENO, buffer + at, (size_t)(got - at));
      if (put < 0) return 1;
      at += put;
    }
  }
  fprintf(stderr, "%ld bytes\n", bytes);
  return 0;
}
