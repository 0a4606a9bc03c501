/* <ifaddrs.h>: there are no interfaces. */
#ifndef NIGHTSHIFT_IFADDRS_H
#define NIGHTSHIFT_IFADDRS_H

#include <sys/socket.h>

struct ifaddrs {
  struct ifaddrs *ifa_next;
  char *ifa_name;
  unsigned ifa_flags;
  struct sockaddr *ifa_addr;
  struct sockaddr *ifa_netmask;
  struct sockaddr *ifa_dstaddr;
  void *ifa_data;
};

#ifdef __cplusplus
extern "C" {
#endif

int getifaddrs(struct ifaddrs **found);
void freeifaddrs(struct ifaddrs *found);

#ifdef __cplusplus
}
#endif

#endif
