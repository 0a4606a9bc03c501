/* <dlfcn.h>: a program is one module, so no library can be loaded at run time. */
#include_next <dlfcn.h>

#ifndef NIGHTSHIFT_DLFCN_H
#define NIGHTSHIFT_DLFCN_H

#ifdef __cplusplus
extern "C" {
#endif

void *dlopen(const char *path, int mode);
void *dlsym(void *__restrict library, const char *__restrict name);
int dlclose(void *library);
char *dlerror(void);

#ifdef __cplusplus
}
#endif

#endif
