/* Adds advice about memory and locks on it, which change nothing here. */
#include_next <sys/mman.h>

#ifndef NIGHTSHIFT_SYS_MMAN_H
#define NIGHTSHIFT_SYS_MMAN_H

#ifdef __cplusplus
extern "C" {
#endif

int madvise(void *start, size_t bytes, int advice);
int posix_madvise(void *start, size_t bytes, int advice);
int mlock(const void *start, size_t bytes);
int munlock(const void *start, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
