/* Adds to wasi-libc's <unistd.h> what a Nightshift process has beyond WASI: processes, pipes, descriptor copies, and one user.
   exec* and vfork are declared so that sources compile; they fail at run time with ENOSYS. */
#include_next <unistd.h>

#undef lseek /* with arguments it is a macro there, which members of that name would be taken for */

#ifndef NIGHTSHIFT_UNISTD_H
#define NIGHTSHIFT_UNISTD_H

#include <__typedef_gid_t.h>
#include <__typedef_uid_t.h>

#define F_ULOCK 0
#define F_LOCK 1
#define F_TLOCK 2
#define F_TEST 3

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

/* One user, 0, to whom all files belong. */
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int setuid(uid_t user);
int seteuid(uid_t user);
int setgid(gid_t group);
int setegid(gid_t group);
int getgroups(int count, gid_t groups[]);
char *getlogin(void);
int chown(const char *path, uid_t user, gid_t group);
int lchown(const char *path, uid_t user, gid_t group);
int fchown(int descriptor, uid_t user, gid_t group);
int fchownat(int descriptor, const char *path, uid_t user, gid_t group, int flags);

pid_t getpgrp(void);
pid_t getpgid(pid_t process);
int setpgid(pid_t process, pid_t group);
pid_t setsid(void);
pid_t gettid(void);
int nice(int more);
char *ttyname(int descriptor);
int getdtablesize(void);
void sync(void);
int lockf(int descriptor, int operation, off_t bytes);
pid_t tcgetpgrp(int descriptor);
int tcsetpgrp(int descriptor, pid_t group);
int pause(void); /* as sigsuspend does */
unsigned alarm(unsigned seconds); /* sets none: nothing interrupts a process but its job's limits */

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
