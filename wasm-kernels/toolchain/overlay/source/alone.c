/* What means nothing to a process that has its sandbox to itself: locks are granted, advice is taken, limits are none, there is no
   terminal, no library to load and no other session. */
#include "host.h"
#include <dlfcn.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const int PAGE_BYTES = 65536;
static const int MOST_DESCRIPTORS = 1024;

static int is_open(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status);
}

int flock(int descriptor, int operation) { return (void)operation, is_open(descriptor); }
int lockf(int descriptor, int operation, off_t bytes) { return (void)operation, (void)bytes, is_open(descriptor); }
void flockfile(FILE *stream) { (void)stream; }
int ftrylockfile(FILE *stream) { return (void)stream, 0; }
void funlockfile(FILE *stream) { (void)stream; }

void *memalign(size_t alignment, size_t bytes) {
  void *start = NULL;
  if (alignment < sizeof start) alignment = sizeof start;
  int failure = posix_memalign(&start, alignment, bytes);
  if (failure) errno = failure;
  return failure ? NULL : start;
}
void *valloc(size_t bytes) { return memalign(PAGE_BYTES, bytes); }

int getrusage(int who, struct rusage *usage) {
  if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN) return result_or_errno(-EINVAL);
  memset(usage, 0, sizeof *usage);
  if (who == RUSAGE_CHILDREN) return 0; // nobody tells
  long long microseconds = clock() / (CLOCKS_PER_SEC / 1000000);
  usage->ru_utime.tv_sec = microseconds / 1000000;
  usage->ru_utime.tv_usec = microseconds % 1000000;
  usage->ru_maxrss = __builtin_wasm_memory_size(0) * (PAGE_BYTES / 1024);
  return 0;
}

int getrlimit(int resource, struct rlimit *limit) {
  if (resource < 0 || resource > RLIMIT_AS) return result_or_errno(-EINVAL);
  limit->rlim_cur = limit->rlim_max = resource == RLIMIT_NOFILE ? (rlim_t)MOST_DESCRIPTORS : RLIM_INFINITY;
  return 0;
}
int setrlimit(int resource, const struct rlimit *limit) { return (void)limit, result_or_errno(resource < 0 || resource > RLIMIT_AS ? -EINVAL : 0); }
int setitimer(int which, const struct itimerval *value, struct itimerval *previous) {
  return (void)which, (void)value, (void)previous, result_or_errno(-ENOSYS);
}
int getitimer(int which, struct itimerval *value) { return setitimer(which, NULL, value); }
int getdtablesize(void) { return MOST_DESCRIPTORS; }
int getpriority(int which, unsigned who) { return (void)which, (void)who, errno = 0, 0; }
int setpriority(int which, unsigned who, int priority) { return (void)which, (void)who, (void)priority, 0; }
int nice(int more) { return (void)more, errno = 0, 0; }
int getloadavg(double averages[], int count) { return (void)averages, (void)count, -1; }
void sync(void) {}
/* Most programs that set one mean never to hear it; who has a handler may wait for that. */
unsigned alarm(unsigned seconds) {
  static int said;
  struct sigaction action;
  sigaction(SIGALRM, NULL, &action);
  int handled = action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
  if (seconds && handled && !said++) fputs("alarm: SIGALRM does not come here; what waits for it, waits for ever\n", stderr);
  return 0;
}

pid_t getpgrp(void) { return getpid(); }
pid_t getpgid(pid_t process) { return process ? process : getpid(); }
int setpgid(pid_t process, pid_t group) { return (void)process, (void)group, 0; }
pid_t setsid(void) { return getpid(); }
pid_t gettid(void) { return getpid(); }

char *ttyname(int descriptor) { return (void)descriptor, errno = ENOTTY, NULL; }
int tcgetattr(int descriptor, struct termios *settings) { return (void)descriptor, (void)settings, result_or_errno(-ENOTTY); }
int tcsetattr(int descriptor, int when, const struct termios *settings) {
  return (void)descriptor, (void)when, (void)settings, result_or_errno(-ENOTTY);
}
int tcflush(int descriptor, int queue) { return (void)descriptor, (void)queue, result_or_errno(-ENOTTY); }
int tcdrain(int descriptor) { return (void)descriptor, result_or_errno(-ENOTTY); }
int tcflow(int descriptor, int action) { return tcflush(descriptor, action); }
int tcsendbreak(int descriptor, int duration) { return tcflush(descriptor, duration); }
pid_t tcgetsid(int descriptor) { return tcdrain(descriptor); }
pid_t tcgetpgrp(int descriptor) { return tcdrain(descriptor); }
int tcsetpgrp(int descriptor, pid_t group) { return (void)group, tcdrain(descriptor); }
speed_t cfgetispeed(const struct termios *settings) { return settings->c_ispeed; }
speed_t cfgetospeed(const struct termios *settings) { return settings->c_ospeed; }
int cfsetispeed(struct termios *settings, speed_t speed) { return settings->c_ispeed = speed, 0; }
int cfsetospeed(struct termios *settings, speed_t speed) { return settings->c_ospeed = speed, 0; }
void cfmakeraw(struct termios *settings) {
  settings->c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  settings->c_oflag &= ~OPOST;
  settings->c_lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  settings->c_cflag = (settings->c_cflag & ~(CSIZE | PARENB)) | CS8;
  settings->c_cc[VMIN] = 1;
  settings->c_cc[VTIME] = 0;
}
int mkfifo(const char *path, mode_t mode) { return (void)path, (void)mode, result_or_errno(-ENOSYS); }

char *secure_getenv(const char *name) { return getenv(name); }

static int library_was_asked_for;
void *dlopen(const char *path, int mode) { return (void)path, (void)mode, library_was_asked_for = 1, NULL; }
void *dlsym(void *restrict library, const char *restrict name) { return (void)library, (void)name, library_was_asked_for = 1, NULL; }
int dlclose(void *library) { return (void)library, library_was_asked_for = 1, -1; }
char *dlerror(void) {
  char *message = library_was_asked_for ? "libraries cannot be loaded at run time: link them into the program" : NULL;
  library_was_asked_for = 0;
  return message;
}
