/* Adds readdir_r. */
#include_next <dirent.h>

#ifndef NIGHTSHIFT_DIRENT_H
#define NIGHTSHIFT_DIRENT_H

#ifdef __cplusplus
extern "C" {
#endif

int readdir_r(DIR *__restrict directory, struct dirent *__restrict entry, struct dirent **__restrict result);

#ifdef __cplusplus
}
#endif

#endif
