/* <pwd.h>: there are no accounts. A process is user and group 0, like all files, and nobody has a name. */
#ifndef NIGHTSHIFT_PWD_H
#define NIGHTSHIFT_PWD_H

#include <__typedef_uid_t.h>
#include <__typedef_gid_t.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct passwd {
  char *pw_name;
  char *pw_passwd;
  uid_t pw_uid;
  gid_t pw_gid;
  char *pw_gecos;
  char *pw_dir;
  char *pw_shell;
};
struct passwd *getpwuid(uid_t user);
struct passwd *getpwnam(const char *name);
int getpwuid_r(uid_t user, struct passwd *entry, char *buffer, size_t bytes, struct passwd **result);
int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t bytes, struct passwd **result);
void setpwent(void);
void endpwent(void);
struct passwd *getpwent(void);

#ifdef __cplusplus
}
#endif

#endif
