/* Declares popen and pclose for sources that mention them; there is no shell, so they fail with ENOSYS. Adds temporary files, which
   wasi-libc declares only to say that it has none. */
#define tmpfile nightshift_no_tmpfile
#define tmpnam nightshift_no_tmpnam
#include_next <stdio.h>
#undef tmpfile
#undef tmpnam

#ifndef NIGHTSHIFT_STDIO_H
#define NIGHTSHIFT_STDIO_H

#ifdef __cplusplus
extern "C" {
#endif

#define P_tmpdir "/tmp"
#define L_tmpnam 20
#define TMP_MAX 10000
FILE *tmpfile(void);
char *tmpnam(char *name);
char *tempnam(const char *directory, const char *prefix);
void flockfile(FILE *stream);
int ftrylockfile(FILE *stream);
void funlockfile(FILE *stream);
FILE *popen(const char *command, const char *mode);
int pclose(FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
