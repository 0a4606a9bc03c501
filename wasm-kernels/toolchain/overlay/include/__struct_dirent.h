/* An entry as other systems have it, its name with a size: copied as a whole, it takes its name along. libc's own has the same beginning. */
#ifndef __wasilibc___struct_dirent_h
#define __wasilibc___struct_dirent_h

#include <__typedef_ino_t.h>

struct dirent {
  ino_t d_ino;
  unsigned char d_type;
  char d_name[256];
};

#endif
