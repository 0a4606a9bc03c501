/* <sys/file.h> with flock: a process has its files to itself, so every lock is granted. */
#include_next <sys/file.h>

#ifndef NIGHTSHIFT_SYS_FILE_H
#define NIGHTSHIFT_SYS_FILE_H

#ifdef __cplusplus
extern "C" {
#endif

int flock(int descriptor, int operation);

#ifdef __cplusplus
}
#endif

#endif
