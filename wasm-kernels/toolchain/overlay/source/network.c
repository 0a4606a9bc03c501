/* A process has no network: no socket can be made (EAFNOSUPPORT), no name is found, no interface is there. */
#include "host.h"
#include <ifaddrs.h>
#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>

static int no_network(void) { return result_or_errno(-EAFNOSUPPORT); }
static int no_socket(void) { return result_or_errno(-ENOTSOCK); }

int socket(int domain, int type, int protocol) { return (void)domain, (void)type, (void)protocol, no_network(); }
int socketpair(int domain, int type, int protocol, int ends[2]) { return (void)domain, (void)type, (void)protocol, (void)ends, no_network(); }
int connect(int descriptor, const struct sockaddr *address, socklen_t bytes) { return (void)descriptor, (void)address, (void)bytes, no_socket(); }
int bind(int descriptor, const struct sockaddr *address, socklen_t bytes) { return (void)descriptor, (void)address, (void)bytes, no_socket(); }
int listen(int descriptor, int backlog) { return (void)descriptor, (void)backlog, no_socket(); }
int getsockname(int descriptor, struct sockaddr *restrict address, socklen_t *restrict bytes) {
  return (void)descriptor, (void)address, (void)bytes, no_socket();
}
int getpeername(int descriptor, struct sockaddr *restrict address, socklen_t *restrict bytes) {
  return (void)descriptor, (void)address, (void)bytes, no_socket();
}
int setsockopt(int descriptor, int level, int option, const void *value, socklen_t bytes) {
  return (void)descriptor, (void)level, (void)option, (void)value, (void)bytes, no_socket();
}
ssize_t sendto(int descriptor, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t bytes) {
  return (void)descriptor, (void)data, (void)size, (void)flags, (void)address, (void)bytes, no_socket();
}
ssize_t recvfrom(int descriptor, void *restrict data, size_t size, int flags, struct sockaddr *restrict address, socklen_t *restrict bytes) {
  return (void)descriptor, (void)data, (void)size, (void)flags, (void)address, (void)bytes, no_socket();
}

int h_errno;
int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found) {
  return (void)name, (void)service, (void)hints, (void)found, EAI_FAIL;
}
void freeaddrinfo(struct addrinfo *found) { (void)found; }
const char *gai_strerror(int error) { return error == EAI_FAIL ? "there is no network" : "unknown error"; }
int getnameinfo(const struct sockaddr *restrict address, socklen_t bytes, char *restrict name, socklen_t name_bytes,
                char *restrict service, socklen_t service_bytes, int flags) {
  return (void)address, (void)bytes, (void)name, (void)name_bytes, (void)service, (void)service_bytes, (void)flags, EAI_FAIL;
}
struct hostent *gethostbyname(const char *name) { return (void)name, h_errno = HOST_NOT_FOUND, NULL; }

int getifaddrs(struct ifaddrs **found) { return *found = NULL, 0; }
void freeifaddrs(struct ifaddrs *found) { (void)found; }
