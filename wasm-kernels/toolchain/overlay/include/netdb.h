/* <netdb.h>: a process has no network, so nothing is found. */
#ifndef NIGHTSHIFT_NETDB_H
#define NIGHTSHIFT_NETDB_H

#include <netinet/in.h>
#include <sys/socket.h>

#define AI_PASSIVE 1
#define AI_CANONNAME 2
#define AI_NUMERICHOST 4
#define NI_NUMERICHOST 1
#define NI_NUMERICSERV 2
#define NI_MAXHOST 255
#define NI_MAXSERV 32
#define EAI_NONAME (-2)
#define EAI_FAIL (-4)
#define HOST_NOT_FOUND 1

struct addrinfo {
  int ai_flags, ai_family, ai_socktype, ai_protocol;
  socklen_t ai_addrlen;
  struct sockaddr *ai_addr;
  char *ai_canonname;
  struct addrinfo *ai_next;
};

struct hostent {
  char *h_name;
  char **h_aliases;
  int h_addrtype;
  int h_length;
  char **h_addr_list;
};
#define h_addr h_addr_list[0]

#ifdef __cplusplus
extern "C" {
#endif

extern int h_errno;
int getaddrinfo(const char *__restrict name, const char *__restrict service, const struct addrinfo *__restrict hints,
                struct addrinfo **__restrict found);
void freeaddrinfo(struct addrinfo *found);
const char *gai_strerror(int error);
int getnameinfo(const struct sockaddr *__restrict address, socklen_t bytes, char *__restrict name, socklen_t name_bytes,
                char *__restrict service, socklen_t service_bytes, int flags);
struct hostent *gethostbyname(const char *name);

#ifdef __cplusplus
}
#endif

#endif
