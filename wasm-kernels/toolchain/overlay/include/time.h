/* wasi-libc's <time.h>, with the clocks of processor time, and nanosleep visible to strict -std=c99 too: sources that older compilers took must
   still compile. */
#include_next <time.h>

#ifndef NIGHTSHIFT_TIME_H
#define NIGHTSHIFT_TIME_H

#ifdef __cplusplus
extern "C" {
#endif

extern const struct __clockid nightshift_process_clock, nightshift_thread_clock;

int nanosleep(const struct timespec *duration, struct timespec *remaining);

#ifdef __cplusplus
}
#endif

#define CLOCK_PROCESS_CPUTIME_ID (&nightshift_process_clock)
#define CLOCK_THREAD_CPUTIME_ID (&nightshift_thread_clock)

#endif
