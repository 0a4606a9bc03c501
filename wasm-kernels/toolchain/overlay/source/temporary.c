/* Temporary files. Names are drawn from the process's own random numbers, so a process that goes back to its checkpoint chooses the same
   again. */
#include "host.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int MOST_TRIES = 100;

/* Tries names in the place of the X's until `take` gives something else than -1 with EEXIST. */
static int with_name(char *name, int suffix_bytes, int flags, int (*take)(const char *name, int flags)) {
  static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  size_t length = strlen(name);
  if (suffix_bytes < 0 || length < 6 + (size_t)suffix_bytes) return result_or_errno(-EINVAL);
  char *place = name + length - suffix_bytes - 6;
  if (memcmp(place, "XXXXXX", 6) != 0) return result_or_errno(-EINVAL);
  for (int tries = 0; tries < MOST_TRIES; tries++) {
    unsigned char random[6];
    if (getentropy(random, sizeof random) < 0) return -1;
    for (int i = 0; i < 6; i++) place[i] = LETTERS[random[i] % (sizeof LETTERS - 1)];
    int result = take(name, flags);
    if (result >= 0 || errno != EEXIST) return result;
  }
  return -1;
}

static int new_file(const char *name, int flags) { return open(name, flags | O_RDWR | O_CREAT | O_EXCL, 0600); }
static int new_directory(const char *name, int flags) { return (void)flags, mkdir(name, 0700); }
static int no_file(const char *name, int flags) {
  (void)flags;
  if (access(name, F_OK) == 0) return result_or_errno(-EEXIST);
  return errno == ENOENT ? 0 : -1;
}

int mkostemps(char *name, int suffix_bytes, int flags) { return with_name(name, suffix_bytes, flags & ~O_ACCMODE, new_file); }
int mkstemps(char *name, int suffix_bytes) { return mkostemps(name, suffix_bytes, 0); }
int mkostemp(char *name, int flags) { return mkostemps(name, 0, flags); }
int mkstemp(char *name) { return mkostemps(name, 0, 0); }
char *mkdtemp(char *name) { return with_name(name, 0, 0, new_directory) < 0 ? NULL : name; }

char *mktemp(char *name) {
  if (with_name(name, 0, 0, no_file) < 0) *name = 0;
  return name;
}

FILE *tmpfile(void) {
  char name[] = P_tmpdir "/tmp.XXXXXX";
  int descriptor = mkstemp(name);
  if (descriptor < 0) return NULL;
  unlink(name);
  return fdopen(descriptor, "w+");
}

char *tmpnam(char *name) {
  static char own[L_tmpnam];
  char *result = strcpy(name ? name : own, P_tmpdir "/tmp.XXXXXX");
  return *mktemp(result) ? result : NULL;
}

char *tempnam(const char *directory, const char *prefix) {
  char *name;
  if (asprintf(&name, "%s/%.5sXXXXXX", directory ? directory : P_tmpdir, prefix ? prefix : "tmp.") < 0) return NULL;
  if (*mktemp(name)) return name;
  free(name);
  return NULL;
}
