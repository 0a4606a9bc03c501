/* Adds a terminal's size to wasi-libc's <sys/ioctl.h>: programs ask for it and go on without, as no descriptor is a terminal. */
#include_next <sys/ioctl.h>

#ifndef NIGHTSHIFT_SYS_IOCTL_H
#define NIGHTSHIFT_SYS_IOCTL_H

#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414

struct winsize {
  unsigned short ws_row;
  unsigned short ws_col;
  unsigned short ws_xpixel;
  unsigned short ws_ypixel;
};

#endif
