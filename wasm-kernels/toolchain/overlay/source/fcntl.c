/* fcntl of wasi-libc, and before it the commands that wasi-libc does not have (fcntl.h). */
#include "host.h"
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

int libc_fcntl(int descriptor, int command, ...) __asm__("fcntl");

/** The lowest free number from `least` on. */
static int copy_from(int descriptor, int least) {
  if (least < 0) return result_or_errno(-EINVAL);
  int copy = dup(descriptor);
  if (copy < 0 || copy >= least) return copy;
  int higher = copy_from(descriptor, least);
  close(copy);
  return higher;
}

static int lock(int descriptor, int command, struct flock *lock) {
  struct stat status;
  if (lock->l_type < F_RDLCK || lock->l_type > F_UNLCK) return result_or_errno(-EINVAL);
  if (fstat(descriptor, &status) < 0) return -1;
  if (command == F_GETLK) lock->l_type = F_UNLCK;
  return 0;
}

int fcntl(int descriptor, int command, ...) {
  va_list more;
  va_start(more, command);
  int result;
  switch (command) {
  case F_DUPFD:
  case F_DUPFD_CLOEXEC:
    result = copy_from(descriptor, va_arg(more, int));
    break;
  case F_GETLK:
  case F_SETLK:
  case F_SETLKW:
    result = lock(descriptor, command, va_arg(more, struct flock *));
    break;
  case F_SETFD:
  case F_SETFL:
    result = libc_fcntl(descriptor, command, va_arg(more, int));
    break;
  default:
    result = libc_fcntl(descriptor, command);
  }
  va_end(more);
  return result;
}
