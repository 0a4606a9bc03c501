/* wasi-libc's <time.h>, with the clocks of processor time, other systems' names of the clocks and the time zone, which is UTC; and nanosleep visible
   to strict -std=c99 too: sources that older compilers took must still compile. */
#include_next <time.h>

#ifndef NIGHTSHIFT_TIME_H
#define NIGHTSHIFT_TIME_H

#ifdef __cplusplus
extern "C" {
#endif

extern const struct __clockid nightshift_process_clock, nightshift_thread_clock;

/* As with glibc: a strictly standard program may have such names of its own. */
#if !defined(__STRICT_ANSI__) || defined(_GNU_SOURCE) || defined(_DEFAULT_SOURCE) || defined(_POSIX_C_SOURCE) || defined(_XOPEN_SOURCE)
extern char *tzname[2];
extern long timezone;
extern int daylight;
void tzset(void);
#endif

int nanosleep(const struct timespec *duration, struct timespec *remaining);

#ifdef __cplusplus
}
#endif

#define CLOCK_PROCESS_CPUTIME_ID (&nightshift_process_clock)
#define CLOCK_THREAD_CPUTIME_ID (&nightshift_thread_clock)
#define CLOCK_MONOTONIC_RAW CLOCK_MONOTONIC
#define CLOCK_MONOTONIC_COARSE CLOCK_MONOTONIC
#define CLOCK_BOOTTIME CLOCK_MONOTONIC
#define CLOCK_REALTIME_COARSE CLOCK_REALTIME

#endif
