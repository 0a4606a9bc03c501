/* Call stacks, which a program cannot look at: they are empty. */
#ifndef NIGHTSHIFT_EXECINFO_H
#define NIGHTSHIFT_EXECINFO_H

static inline int backtrace(void **frames, int most) { return (void)frames, (void)most, 0; }
static inline char **backtrace_symbols(void *const *frames, int count) { return (void)frames, (void)count, (char **)0; }
static inline void backtrace_symbols_fd(void *const *frames, int count, int descriptor) { (void)frames, (void)count, (void)descriptor; }

#endif
