/* <sys/unistd.h>: another name for <unistd.h>. */
#include <unistd.h>
