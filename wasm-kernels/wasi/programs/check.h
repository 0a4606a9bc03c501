/* Calls WASI functions by themselves, without a C library's opinion of them. Each check prints what was called and the errno it gave,
   and stops the process for a moment, so that it can be moved there. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

#define E(name) __WASI_ERRNO_##name
#define R(name) ((__wasi_rights_t)__WASI_RIGHTS_##name)

/** The call must give one of these errnos. */
#define GIVES(call, ...) one_of(#call, (int)(call), (const int[]){__VA_ARGS__, -1})
#define DOES(call) GIVES(call, E(SUCCESS))
/** The number must be this one; it is printed only when it is not. */
#define SAME(value, wanted) same(#value, (int64_t)(value), (int64_t)(wanted))

static int wrong;

static void say(const char *what, int good, int64_t value, int tells) {
  if (!good) wrong++;
  printf("%s%s", good ? "" : "WRONG ", what);
  if (tells || !good) printf(": %lld", (long long)value);
  puts("");
  fflush(stdout);
  (void)__wasi_sched_yield();
}

static inline void one_of(const char *what, int got, const int *wanted) {
  int good = 0;
  for (; *wanted >= 0; wanted++) good |= *wanted == got;
  say(what, good, got, 1);
}

static inline void same(const char *what, int64_t got, int64_t wanted) { say(what, got == wanted, got, 0); }

static inline int finish(void) { return wrong ? 1 : 0; }

/** The preopened directory. */
#define ROOT 3

/** What opens() has opened. */
static __wasi_fd_t fd;

static inline int opens(__wasi_fd_t in, int follow, const char *path, int oflags, __wasi_rights_t base, __wasi_rights_t inheriting, int fdflags) {
  return __wasi_path_open(in, (__wasi_lookupflags_t)follow, path, (__wasi_oflags_t)oflags, base, inheriting, (__wasi_fdflags_t)fdflags, &fd);
}

enum { CREATE = __WASI_OFLAGS_CREAT, DIRECTORY = __WASI_OFLAGS_DIRECTORY, EXCLUSIVE = __WASI_OFLAGS_EXCL, TRUNCATE = __WASI_OFLAGS_TRUNC };
enum { FOLLOW = 1 };

/** An empty file. */
static inline int makes(__wasi_fd_t in, const char *path) {
  int error = opens(in, 0, path, CREATE, 0, 0, 0);
  return error ? error : __wasi_fd_close(fd);
}

/** A directory, with all rights that a directory can have and hand on. */
static inline int enters(__wasi_fd_t in, const char *path) {
  __wasi_fdstat_t from;
  int error = __wasi_fd_fdstat_get(ROOT, &from);
  return error ? error : opens(in, 0, path, DIRECTORY, from.fs_rights_base, from.fs_rights_inheriting, 0);
}

static inline int writes(__wasi_fd_t to, const char *text) {
  __wasi_ciovec_t vector = {(const uint8_t *)text, strlen(text)};
  __wasi_size_t count;
  int error = __wasi_fd_write(to, &vector, 1, &count);
  return error ? error : count == vector.buf_len ? 0 : 1000;
}

static char buffer[256];

/** Reads into buffer, with a NUL behind. */
static inline int reads(__wasi_fd_t from) {
  __wasi_iovec_t vector = {(uint8_t *)buffer, sizeof buffer - 1};
  __wasi_size_t count = 0;
  int error = __wasi_fd_read(from, &vector, 1, &count);
  buffer[count] = 0;
  return error;
}

static __wasi_filestat_t status;
