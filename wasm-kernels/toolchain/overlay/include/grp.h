/* <grp.h>: there are no groups with names. */
#ifndef NIGHTSHIFT_GRP_H
#define NIGHTSHIFT_GRP_H

#include <__typedef_gid_t.h>

#ifdef __cplusplus
extern "C" {
#endif

struct group {
  char *gr_name;
  char *gr_passwd;
  gid_t gr_gid;
  char **gr_mem;
};
struct group *getgrgid(gid_t group);
struct group *getgrnam(const char *name);
void setgrent(void);
void endgrent(void);
struct group *getgrent(void);

#ifdef __cplusplus
}
#endif

#endif
