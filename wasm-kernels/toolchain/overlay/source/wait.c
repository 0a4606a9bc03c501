/* wait, waitpid, wait3 and wait4: all are the host's one wait. */
#include "host.h"
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

/** Waits for the child `target` (-1: any). Returns its pid and writes the status word when status is not 0; returns 0 when options
    has WNOHANG and no child has ended (or stopped or continued, when asked for); -ECHILD when there is none to wait for; -EINVAL for
    options there are not. */
NIGHTSHIFT_IMPORT("wait") int nightshift_wait(int target, int options, int *status);

/** Set by suspend.c when it is used: the pid and status of a child whose end it has seen, 0 when there is none such. */
pid_t (*nightshift_seen_end)(pid_t target, int *status);

pid_t waitpid(pid_t target, int *status, int options) {
  pid_t child = nightshift_seen_end ? nightshift_seen_end(target, status) : 0;
  return child ? child : result_or_errno(nightshift_wait(target, options, status));
}

pid_t wait(int *status) { return waitpid(-1, status, 0); }

pid_t wait4(pid_t target, int *status, int options, struct rusage *usage) {
  if (usage) memset(usage, 0, sizeof *usage);
  return waitpid(target, status, options);
}

pid_t wait3(int *status, int options, struct rusage *usage) { return wait4(-1, status, options, usage); }
