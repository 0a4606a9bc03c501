/* getpid and getppid: cluster-wide process ids. */
#include <unistd.h>
#include "host.h"

NIGHTSHIFT_IMPORT("getpid") int nightshift_getpid(void);
NIGHTSHIFT_IMPORT("getppid") int nightshift_getppid(void);

pid_t getpid(void) { return nightshift_getpid(); }

pid_t getppid(void) { return nightshift_getppid(); }
