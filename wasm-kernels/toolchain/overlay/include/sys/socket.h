/* Adds what wasi-libc leaves out of <sys/socket.h>, so that programs which can use a network compile: every function fails, as a process
   has none. */
#include_next <sys/socket.h>

#ifndef NIGHTSHIFT_SYS_SOCKET_H
#define NIGHTSHIFT_SYS_SOCKET_H

#ifndef SO_DEBUG
#define SO_DEBUG 1
#endif
#ifndef SO_REUSEADDR
#define SO_REUSEADDR 2
#endif
#ifndef SO_ERROR
#define SO_ERROR 4
#endif
#ifndef SO_DONTROUTE
#define SO_DONTROUTE 5
#endif
#ifndef SO_BROADCAST
#define SO_BROADCAST 6
#endif
#ifndef SO_SNDBUF
#define SO_SNDBUF 7
#endif
#ifndef SO_RCVBUF
#define SO_RCVBUF 8
#endif
#ifndef SO_KEEPALIVE
#define SO_KEEPALIVE 9
#endif
#ifndef SO_OOBINLINE
#define SO_OOBINLINE 10
#endif
#ifndef SO_LINGER
#define SO_LINGER 13
#endif
#ifndef SO_REUSEPORT
#define SO_REUSEPORT 15
#endif
#ifndef SO_RCVLOWAT
#define SO_RCVLOWAT 18
#endif
#ifndef SO_SNDLOWAT
#define SO_SNDLOWAT 19
#endif
#ifndef SO_RCVTIMEO
#define SO_RCVTIMEO 20
#endif
#ifndef SO_SNDTIMEO
#define SO_SNDTIMEO 21
#endif
#ifndef SO_ACCEPTCONN
#define SO_ACCEPTCONN 30
#endif
#ifndef MSG_OOB
#define MSG_OOB 0x0001
#endif
#ifndef MSG_DONTROUTE
#define MSG_DONTROUTE 0x0004
#endif
#ifndef MSG_CTRUNC
#define MSG_CTRUNC 0x0008
#endif
#ifndef MSG_DONTWAIT
#define MSG_DONTWAIT 0x0040
#endif
#ifndef MSG_EOR
#define MSG_EOR 0x0080
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0x4000
#endif
#ifndef SOMAXCONN
#define SOMAXCONN 128
#endif

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
