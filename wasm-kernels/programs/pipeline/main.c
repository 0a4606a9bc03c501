/* What a shell does for `generate | transform | count`: two children whose standard input and output are pipes, made with dup2,
   and the parent reading the end of the line.
     pipeline [bytes]        1..2000000000 (default 200000) */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  _exit(1);
}

/* The first child: writes letters to its standard output. */
static int generate(long bytes) {
  char buffer[1000];
  unsigned state = 7;
  while (bytes > 0) {
    size_t size = bytes < (long)sizeof buffer ? (size_t)bytes : sizeof buffer;
    for (size_t at = 0; at < size; at++) {
      state = state * 1664525u + 1013904223u;
      buffer[at] = (char)('a' + (state >> 24) % 26);
    }
    if (fwrite(buffer, 1, size, stdout) != size) fail("fwrite");
    bytes -= (long)size;
  }
  return fflush(stdout) == 0 ? 0 : 1;
}

/* The second child: capitals in place of letters, from standard input to standard output. */
static int transform(void) {
  for (int c; (c = getchar()) != EOF;) {
    if (putchar(toupper(c)) == EOF) fail("putchar");
  }
  return fflush(stdout) == 0 ? 0 : 1;
}

/* Makes `from` the descriptor `to` and forgets the old number. */
static void become(int from, int to) {
  if (dup2(from, to) != to) fail("dup2");
  close(from);
}

int main(int argc, char **argv) {
  const long bytes = argc > 1 ? atol(argv[1]) : 200000;
  if (bytes < 1 || bytes > 2000000000) {
    fprintf(stderr, "pipeline: bytes must be from 1 to 2000000000\n");
    return 2;
  }
  int first[2], second[2];
  if (pipe(first) < 0 || pipe(second) < 0) fail("pipe");

  const pid_t generator = fork();
  if (generator < 0) fail("fork");
  if (generator == 0) {
    close(first[0]), close(second[0]), close(second[1]);
    become(first[1], STDOUT_FILENO);
    return generate(bytes);
  }
  const pid_t transformer = fork();
  if (transformer < 0) fail("fork");
  if (transformer == 0) {
    close(first[1]), close(second[0]);
    become(first[0], STDIN_FILENO);
    become(second[1], STDOUT_FILENO);
    return transform();
  }
  close(first[0]), close(first[1]), close(second[1]);

  long arrived = 0, capitals = 0;
  unsigned checksum = 0;
  char buffer[4096];
  for (ssize_t got; (got = read(second[0], buffer, sizeof buffer)) != 0;) {
    if (got < 0) fail("read");
    arrived += got;
    for (ssize_t at = 0; at < got; at++) {
      capitals += isupper((unsigned char)buffer[at]) != 0;
      checksum = checksum * 31 + (unsigned char)buffer[at];
    }
  }
  close(second[0]);

  int status;
  const pid_t children[] = {generator, transformer};
  for (int at = 0; at < 2; at++) {
    if (waitpid(children[at], &status, 0) != children[at]) fail("waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      fprintf(stderr, "pipeline: child %d ended with status %d\n", at + 1, status);
      return 1;
    }
  }
  printf("%ld bytes arrived, %ld capitals, checksum %08x\n", arrived, capitals, checksum);
  return arrived == bytes && capitals == bytes ? 0 : 1;
}
