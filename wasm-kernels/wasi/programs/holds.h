/* Checks by the C library's calls. Each prints a line of its own, so that the process can be moved between them. */
#include <errno.h>
#include <stdio.h>

static int wrong;

#define HOLDS(what) holds(#what, (what))
static void holds(const char *what, int good) {
  if (!good) wrong++;
  printf("%s%s (errno %d)\n", good ? "" : "WRONG ", what, errno);
  fflush(stdout);
  errno = 0;
}

static int fails(int result, int error) { return result == -1 && errno == error; }
