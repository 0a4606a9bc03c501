/* dup, dup2 and dup3. The copies share one position in the file, as POSIX has it. */
#include "host.h"
#include <fcntl.h>
#include <unistd.h>

/** Makes `target` (-1: the lowest free number) a copy of descriptor; an open target is closed first; target == descriptor is allowed. */
NIGHTSHIFT_IMPORT("dup") int nightshift_dup(int descriptor, int target);

int dup(int descriptor) { return result_or_errno(nightshift_dup(descriptor, -1)); }

/* A negative target must not be taken for "lowest free". */
int dup2(int descriptor, int target) { return result_or_errno(target < 0 ? -EBADF : nightshift_dup(descriptor, target)); }

int dup3(int descriptor, int target, int flags) {
  if (flags != O_CLOEXEC || descriptor == target) return result_or_errno(-EINVAL);
  return dup2(descriptor, target);
}
