/* <sys/ucontext.h>: another name for <ucontext.h>. */
#include <ucontext.h>
