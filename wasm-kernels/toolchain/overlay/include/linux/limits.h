/* <linux/limits.h>: another name for <limits.h>. */
#include <limits.h>
