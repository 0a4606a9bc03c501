/* fork. Alone in its file, so that a program with a function of its own by this name links. */
#include "host.h"
#include <unistd.h>

/** The pid of the new process in the parent, 0 in the child. Both continue from here, with copies of the whole memory, unflushed
    stdio buffers included, as POSIX has it. */
NIGHTSHIFT_IMPORT("fork") int nightshift_fork(void);

__attribute__((noinline)) pid_t fork(void) { return result_or_errno(nightshift_fork()); }
