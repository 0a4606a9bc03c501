// Stands in for Electron where there is none, as windows/stand-in.c: a real program, so that everything a package does around it is real. Stays,
// started as at log-in, until the file `leave` is beside it.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_US = 50 * 1000, MOST_LOOKS = 60 * 20 };

int main(int count, char **words) {
  puts("This is not Nightshift but a stand-in, built without Electron.");
  fflush(stdout);
  if (count < 2 || strcmp(words[1], "--hidden") != 0) return 0;
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 10);
  if (length <= 0) return 1;
  path[length] = 0;
  strcpy(strrchr(path, '/'), "/leave");
  for (int look = 0; look < MOST_LOOKS && access(path, F_OK) != 0; look++) usleep(LOOK_US);
  return 0;
}
