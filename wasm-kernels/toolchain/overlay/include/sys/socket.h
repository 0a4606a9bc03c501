/* Adds what wasi-libc leaves out of <sys/socket.h>, so that programs which can use a network compile: every function fails, as a process
   has none. */
#include_next <sys/socket.h>

#ifndef NIGHTSHIFT_SYS_SOCKET_H
#define NIGHTSHIFT_SYS_SOCKET_H

#ifdef __cplusplus
extern "C" {
#endif

int socket(int domain, int type, int protocol);
int socketpair(int domain, int type, int protocol, int ends[2]);
int connect(int descriptor, const struct sockaddr *address, socklen_t bytes);
int bind(int descriptor, const struct sockaddr *address, socklen_t bytes);
int listen(int descriptor, int backlog);
int getsockname(int descriptor, struct sockaddr *__restrict address, socklen_t *__restrict bytes);
int getpeername(int descriptor, struct sockaddr *__restrict address, socklen_t *__restrict bytes);
int setsockopt(int descriptor, int level, int option, const void *value, socklen_t bytes);
ssize_t sendto(int descriptor, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t bytes);
ssize_t recvfrom(int descriptor, void *__restrict data, size_t size, int flags, struct sockaddr *__restrict address,
                 socklen_t *__restrict bytes);

#ifdef __cplusplus
}
#endif

#endif
