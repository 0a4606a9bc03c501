/* wasi-libc declares these but has only setjmp and longjmp. No signal comes from outside, so there is no signal mask to keep. */
#ifndef NIGHTSHIFT_SETJMP_H
#define NIGHTSHIFT_SETJMP_H

#include_next <setjmp.h>

#define sigsetjmp(place, save_mask) ((void)(save_mask), setjmp(place))
#define siglongjmp(place, value) longjmp(place, value)
#define _setjmp(place) setjmp(place)
#define _longjmp(place, value) longjmp(place, value)

#endif
