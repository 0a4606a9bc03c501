/* Adds advice about memory, and mremap, also to sources that hide them. */
#include_next <sys/mman.h>

#ifndef NIGHTSHIFT_SYS_MMAN_H
#define NIGHTSHIFT_SYS_MMAN_H

#ifndef MREMAP_MAYMOVE
#define MREMAP_MAYMOVE 1
#endif

#ifdef __cplusplus
extern "C" {
#endif

int madvise(void *start, size_t bytes, int advice);
int posix_madvise(void *start, size_t bytes, int advice);
int mlock(const void *start, size_t bytes);
int munlock(const void *start, size_t bytes);
void *mremap(void *start, size_t old_bytes, size_t new_bytes, int flags, ...);

#ifdef __cplusplus
}
#endif

#endif
