/* Adds interval timers, of which there are none: setting one fails with ENOSYS, as nothing interrupts a process. */
#include_next <sys/time.h>

#ifndef NIGHTSHIFT_SYS_TIME_H
#define NIGHTSHIFT_SYS_TIME_H

#ifdef __cplusplus
extern "C" {
#endif

#define ITIMER_REAL 0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF 2

struct itimerval {
  struct timeval it_interval;
  struct timeval it_value;
};

int getitimer(int which, struct itimerval *value);
int setitimer(int which, const struct itimerval *value, struct itimerval *previous);

#ifdef __cplusplus
}
#endif

#endif
