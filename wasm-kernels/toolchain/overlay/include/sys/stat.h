/* Adds umask; there are no permissions for it to mask. */
#include_next <sys/stat.h>

#ifndef NIGHTSHIFT_SYS_STAT_H
#define NIGHTSHIFT_SYS_STAT_H

#ifdef __cplusplus
extern "C" {
#endif

mode_t umask(mode_t mask);
int mkfifo(const char *path, mode_t mode);

#ifdef __cplusplus
}
#endif

#endif
