/* A process is user 0 and group 0, to whom all files belong and who may do anything with them; nobody else exists and nobody has a name.
   So changing a file's owner to user 0 or its permissions succeeds and changes nothing. */
#include "host.h"
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

/* What only leaves things as they are is allowed; -1 stands for "the same". */
static int only_own(unsigned id) { return result_or_errno(id == 0 || id == (unsigned)-1 ? 0 : -EPERM); }

uid_t getuid(void) { return 0; }
uid_t geteuid(void) { return 0; }
gid_t getgid(void) { return 0; }
gid_t getegid(void) { return 0; }
int setuid(uid_t user) { return only_own(user); }
int seteuid(uid_t user) { return only_own(user); }
int setgid(gid_t group) { return only_own(group); }
int setegid(gid_t group) { return only_own(group); }
int getgroups(int count, gid_t groups[]) { return (void)count, (void)groups, 0; }

int chown(const char *path, uid_t user, gid_t group) {
  struct stat status;
  return stat(path, &status) < 0 || only_own(user) < 0 ? -1 : only_own(group);
}
int lchown(const char *path, uid_t user, gid_t group) {
  struct stat status;
  return lstat(path, &status) < 0 || only_own(user) < 0 ? -1 : only_own(group);
}
int fchown(int descriptor, uid_t user, gid_t group) {
  struct stat status;
  return fstat(descriptor, &status) < 0 || only_own(user) < 0 ? -1 : only_own(group);
}
int fchownat(int descriptor, const char *path, uid_t user, gid_t group, int flags) {
  struct stat status;
  return fstatat(descriptor, path, &status, flags) < 0 || only_own(user) < 0 ? -1 : only_own(group);
}

/* Instead of wasi-libc's, which fail with ENOSYS (overlay.ts). */
int __wrap_chmod(const char *path, mode_t mode) {
  struct stat status;
  return (void)mode, stat(path, &status);
}
int __wrap_fchmod(int descriptor, mode_t mode) {
  struct stat status;
  return (void)mode, fstat(descriptor, &status);
}
int __wrap_fchmodat(int descriptor, const char *path, mode_t mode, int flags) {
  struct stat status;
  return (void)mode, fstatat(descriptor, path, &status, flags);
}

static mode_t file_mask = 022;
mode_t umask(mode_t mask) {
  mode_t before = file_mask;
  file_mask = mask & 0777;
  return before;
}

char *getlogin(void) { return errno = ENOENT, NULL; }

struct passwd *getpwuid(uid_t user) { return (void)user, NULL; }
struct passwd *getpwnam(const char *name) { return (void)name, NULL; }
int getpwuid_r(uid_t user, struct passwd *entry, char *buffer, size_t bytes, struct passwd **result) {
  return (void)user, (void)entry, (void)buffer, (void)bytes, *result = NULL, 0;
}
int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t bytes, struct passwd **result) {
  return (void)name, (void)entry, (void)buffer, (void)bytes, *result = NULL, 0;
}
void setpwent(void) {}
void endpwent(void) {}
struct passwd *getpwent(void) { return NULL; }

struct group *getgrgid(gid_t group) { return (void)group, NULL; }
struct group *getgrnam(const char *name) { return (void)name, NULL; }
void setgrent(void) {}
void endgrent(void) {}
struct group *getgrent(void) { return NULL; }
