/* wait and waitpid: both are the host's one wait. */
#include "host.h"
#include <sys/wait.h>

/** Waits for the child `target` (-1: any). Returns its pid and writes the status word when status is not 0; returns 0 when options
    has WNOHANG and no child has ended (or stopped or continued, when asked for); -ECHILD when there is none to wait for; -EINVAL for
    options there are not. */
NIGHTSHIFT_IMPORT("wait") int nightshift_wait(int target, int options, int *status);

pid_t waitpid(pid_t target, int *status, int options) { return result_or_errno(nightshift_wait(target, options, status)); }

pid_t wait(int *status) { return waitpid(-1, status, 0); }
