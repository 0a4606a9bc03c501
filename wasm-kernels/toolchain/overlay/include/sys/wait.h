/* <sys/wait.h> for Nightshift, which wasi-libc does not have. A status word is encoded as on Linux: exit code << 8 after a
   normal end, the signal's number after any other (a trap and an exceeded limit look like death by a signal). */
#ifndef NIGHTSHIFT_SYS_WAIT_H
#define NIGHTSHIFT_SYS_WAIT_H

#define __NEED_pid_t
#include <bits/alltypes.h>

#define WNOHANG 1
#define WUNTRACED 2  /* also a child that a signal has stopped, once for each stop */
#define WCONTINUED 8 /* also one that SIGCONT has continued */

#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WTERMSIG(status) ((status) & 0x7f)
#define WIFEXITED(status) (WTERMSIG(status) == 0)
#define WIFSIGNALED(status) (WTERMSIG(status) != 0 && WTERMSIG(status) != 0x7f)
#define WIFSTOPPED(status) (((status) & 0xff) == 0x7f)
#define WSTOPSIG(status) WEXITSTATUS(status)
#define WIFCONTINUED(status) ((status) == 0xffff)
#define WCOREDUMP(status) ((status) & 0x80)

#ifdef __cplusplus
extern "C" {
#endif

pid_t wait(int *status);
pid_t waitpid(pid_t target, int *status, int options);
struct rusage;
pid_t wait3(int *status, int options, struct rusage *usage); /* the usage is not known: zeros */
pid_t wait4(pid_t target, int *status, int options, struct rusage *usage);

#ifdef __cplusplus
}
#endif

#endif
