/* wasi-libc's sigset_t has eight bits; this one has a bit for each of the 64 signals. libc only ever passes pointers to it on. */
#ifndef __wasilibc___typedef_sigset_t_h
#define __wasilibc___typedef_sigset_t_h
typedef unsigned long long sigset_t;
#endif
