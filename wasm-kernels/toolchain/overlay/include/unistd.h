/* Adds to wasi-libc's <unistd.h> what a Nightshift process has beyond WASI: processes, pipes and descriptor copies.
   exec* and vfork are declared so that sources compile; they fail at run time with ENOSYS. */
#include_next <unistd.h>

#ifndef NIGHTSHIFT_UNISTD_H
#define NIGHTSHIFT_UNISTD_H

#ifdef __cplusplus
extern "C" {
#endif

pid_t fork(void);
pid_t vfork(void);
pid_t getppid(void);
int pipe(int descriptors[2]);
int pipe2(int descriptors[2], int flags);
int dup(int descriptor);
int dup2(int descriptor, int target);
int dup3(int descriptor, int target, int flags);
int usleep(unsigned microseconds); /* wasi-libc hides it from strict -std=c99 and from _POSIX_C_SOURCE */

int execl(const char *path, const char *arg, ...);
int execlp(const char *file, const char *arg, ...);
int execle(const char *path, const char *arg, ...);
int execv(const char *path, char *const argv[]);
int execvp(const char *file, char *const argv[]);
int execve(const char *path, char *const argv[], char *const envp[]);
int execvpe(const char *file, char *const argv[], char *const envp[]);
int fexecve(int descriptor, char *const argv[], char *const envp[]);

#ifdef __cplusplus
}
#endif

#endif
