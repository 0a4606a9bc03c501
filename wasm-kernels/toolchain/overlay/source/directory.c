/* Reading directories into the caller's own entries. */
#include "host.h"
#include <dirent.h>
#include <string.h>

int readdir_r(DIR *restrict directory, struct dirent *restrict entry, struct dirent **restrict result) {
  int before = errno;
  errno = 0;
  struct dirent *found = readdir(directory);
  int error = errno;
  errno = before;
  *result = NULL;
  if (!found) return error;
  entry->d_ino = found->d_ino;
  entry->d_type = found->d_type;
  strcpy(entry->d_name, found->d_name);
  *result = entry;
  return 0;
}
