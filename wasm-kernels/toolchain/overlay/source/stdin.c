/* stdin with a buffer as large as a pipe. What a program reads from a pipe or from outside may come from another computer, a round trip for each
   call of read(); wasi-libc's buffer of 1024 bytes makes a call of every kilobyte. Linked in place of wasi-libc's own stdin.o, so its layout is
   that of wasi-libc's FILE (musl's struct _IO_FILE without what WASI has no use for), which the test that reads through it would show to have changed. */
#include <stdio.h>

/* Bytes in front of a buffer, for ungetc. */
#define UNGET 8
/* It is no allocated stream, and not to be written to. */
#define F_PERM 1
#define F_NOWR 8

struct file {
  unsigned flags;
  unsigned char *read_position, *read_end;
  int (*close)(struct file *);
  unsigned char *write_end, *write_position, *write_base;
  size_t (*read)(struct file *, unsigned char *, size_t);
  size_t (*write)(struct file *, const unsigned char *, size_t);
  long long (*seek)(struct file *, long long, int);
  unsigned char *buffer;
  size_t buffer_size;
  struct file *previous, *next;
  int descriptor;
  unsigned rest[13];
};

int __stdio_close(struct file *);
size_t __stdio_read(struct file *, unsigned char *, size_t);
long long __stdio_seek(struct file *, long long, int);

static unsigned char buffer[64 * 1024 + UNGET];

struct file __stdin_FILE = {
  .flags = F_PERM | F_NOWR,
  .close = __stdio_close,
  .read = __stdio_read,
  .seek = __stdio_seek,
  .buffer = buffer + UNGET,
  .buffer_size = sizeof buffer - UNGET,
};

/* As libc defines them: what programs name, and what fflush and the end of the program look at. */
struct file *const nightshift_stdin __asm__("stdin") = &__stdin_FILE;
struct file *volatile __stdin_used = &__stdin_FILE;
