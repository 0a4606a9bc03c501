/* <sys/cdefs.h>: what BSD's and glibc's headers write their declarations with. */
#ifndef NIGHTSHIFT_SYS_CDEFS_H
#define NIGHTSHIFT_SYS_CDEFS_H

#ifdef __cplusplus
#define __BEGIN_DECLS extern "C" {
#define __END_DECLS }
#else
#define __BEGIN_DECLS
#define __END_DECLS
#endif

#define __P(parameters) parameters
#define __CONCAT(a, b) a##b
#define __STRING(text) #text

#endif
