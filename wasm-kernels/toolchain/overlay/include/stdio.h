/* Declares popen and pclose for sources that mention them; there is no shell, so they fail with ENOSYS. */
#include_next <stdio.h>

#ifndef NIGHTSHIFT_STDIO_H
#define NIGHTSHIFT_STDIO_H

#ifdef __cplusplus
extern "C" {
#endif

FILE *popen(const char *command, const char *mode);
int pclose(FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
