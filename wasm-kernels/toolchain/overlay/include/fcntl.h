/* <fcntl.h> with record locks, all of which are granted as those of flock are, and descriptor copies. */
#include_next <fcntl.h>

#ifndef NIGHTSHIFT_FCNTL_H
#define NIGHTSHIFT_FCNTL_H

#define F_DUPFD 0
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_DUPFD_CLOEXEC 1030

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

#ifdef __cplusplus
extern "C" {
#endif

/* Another function than libc itself calls (fcntl.c), which needs nothing of the host. */
int fcntl(int descriptor, int command, ...) __asm__("nightshift_fcntl");

#ifdef __cplusplus
}
#endif

#endif
