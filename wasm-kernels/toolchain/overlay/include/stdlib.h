/* Adds names for temporary files and what else wasi-libc leaves out of <stdlib.h>. */
#include_next <stdlib.h>

#ifndef NIGHTSHIFT_STDLIB_H
#define NIGHTSHIFT_STDLIB_H

#ifdef __cplusplus
extern "C" {
#endif

int mkstemp(char *name);
int mkostemp(char *name, int flags);
int mkstemps(char *name, int suffix_bytes);
int mkostemps(char *name, int suffix_bytes, int flags);
char *mkdtemp(char *name);
char *mktemp(char *name);
void qsort_r(void *items, size_t count, size_t bytes, int (*compare)(const void *, const void *, void *), void *given);
char *secure_getenv(const char *name);
void *valloc(size_t bytes);
int getloadavg(double averages[], int count);

#ifdef __cplusplus
}
#endif

#endif
