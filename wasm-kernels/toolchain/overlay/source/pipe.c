/* pipe and pipe2. Reading, writing and closing the ends goes through WASI's fd_* functions, as for any descriptor. */
#include "host.h"
#include <fcntl.h>
#include <unistd.h>

/** Writes the reading end and the writing end to descriptors[0] and [1]. */
NIGHTSHIFT_IMPORT("pipe") int nightshift_pipe(int descriptors[2]);

int pipe(int descriptors[2]) { return result_or_errno(nightshift_pipe(descriptors)); }

/* O_CLOEXEC is 0 here and says nothing, since nothing is executed; no other flag is known. */
int pipe2(int descriptors[2], int flags) { return flags == O_CLOEXEC ? pipe(descriptors) : result_or_errno(-EINVAL); }
