/* <sys/syslog.h>: another name for <syslog.h>. */
#include <syslog.h>
