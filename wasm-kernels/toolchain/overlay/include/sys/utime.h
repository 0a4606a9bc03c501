/* <sys/utime.h>: another name for <utime.h>. */
#include <utime.h>
