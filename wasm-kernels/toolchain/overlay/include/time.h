/* wasi-libc's <time.h>, with nanosleep visible to strict -std=c99 too: sources that older compilers took must still compile. */
#include_next <time.h>

#ifndef NIGHTSHIFT_TIME_H
#define NIGHTSHIFT_TIME_H

#ifdef __cplusplus
extern "C" {
#endif

int nanosleep(const struct timespec *duration, struct timespec *remaining);

#ifdef __cplusplus
}
#endif

#endif
