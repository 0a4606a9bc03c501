/* <sys/endian.h>: another name for <endian.h>. */
#include <endian.h>
