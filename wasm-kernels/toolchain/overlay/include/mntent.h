/* <mntent.h>: nothing is mounted that has a name, and there is no list of it. */
#ifndef NIGHTSHIFT_MNTENT_H
#define NIGHTSHIFT_MNTENT_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MNTTAB "/etc/fstab"
#define MOUNTED "/etc/mtab"
#define MNTTYPE_IGNORE "ignore"
#define MNTTYPE_NFS "nfs"
#define MNTTYPE_SWAP "swap"
#define MNTOPT_DEFAULTS "defaults"
#define MNTOPT_RO "ro"
#define MNTOPT_RW "rw"
#define MNTOPT_SUID "suid"
#define MNTOPT_NOSUID "nosuid"
#define MNTOPT_NOAUTO "noauto"

struct mntent {
  char *mnt_fsname;
  char *mnt_dir;
  char *mnt_type;
  char *mnt_opts;
  int mnt_freq;
  int mnt_passno;
};

static __inline FILE *setmntent(const char *path, const char *mode) { return (void)path, (void)mode, errno = ENOENT, (FILE *)0; }
static __inline struct mntent *getmntent(FILE *list) { return (void)list, (struct mntent *)0; }
static __inline int endmntent(FILE *list) { return (void)list, 1; }
static __inline char *hasmntopt(const struct mntent *entry, const char *option) {
  size_t length = strlen(option);
  for (char *at = entry->mnt_opts; at && *at; at = strchr(at, ',')) {
    at += *at == ',';
    if (!strncmp(at, option, length) && (!at[length] || at[length] == ',' || at[length] == '=')) return at;
  }
  return (char *)0;
}

#endif
