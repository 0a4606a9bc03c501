/* What programs do with mmap and its kin. Valid as C and as C++. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int held;
#define HOLDS(expression) ((expression) ? (void)held++ : (void)printf("does not hold: %s (%d)\n", #expression, errno))

enum { GRAIN = 4096, MEGABYTE = 1 << 20 };
static const int RESERVED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
static const int BOTH = PROT_READ | PROT_WRITE;

static char *map(size_t bytes) { return (char *)mmap(NULL, bytes, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static int all_are(const char *start, size_t bytes, int wanted) {
  for (size_t i = 0; i < bytes; i++)
    if (start[i] != wanted) return 0;
  return 1;
}
static int refused(void *place, size_t bytes, int protection, int flags, int descriptor, off_t offset, int wanted) {
  errno = 0;
  return mmap(place, bytes, protection, flags, descriptor, offset) == MAP_FAILED && errno == wanted;
}

static void reserved_and_committed(void) {
  char *room = (char *)mmap(NULL, 8 * MEGABYTE, PROT_NONE, RESERVED, -1, 0);
  HOLDS(room != MAP_FAILED && (uintptr_t)room % sysconf(_SC_PAGESIZE) == 0);
  HOLDS(mprotect(room, MEGABYTE, BOTH) == 0);
  memset(room, 1, 2 * MEGABYTE);
  char *middle = room + MEGABYTE;
  HOLDS(mmap(middle, GRAIN, BOTH, MAP_FIXED | RESERVED, -1, 0) == middle);
  HOLDS(all_are(middle, GRAIN, 0) && middle[-1] == 1 && middle[GRAIN] == 1);
  HOLDS(mmap(room, 8 * MEGABYTE, PROT_NONE, MAP_FIXED | RESERVED, -1, 0) == room && all_are(room, 8 * MEGABYTE, 0));
  memset(room, 2, MEGABYTE);
  HOLDS(madvise(room, GRAIN, MADV_DONTNEED) == 0 && all_are(room, GRAIN, 0) && room[GRAIN] == 2);
  HOLDS(munmap(room, 8 * MEGABYTE) == 0);
  HOLDS(mmap(room, GRAIN, BOTH, MAP_FIXED | RESERVED, -1, 0) == room && room[0] == 0);
  HOLDS(refused(room, GRAIN, BOTH, MAP_FIXED_NOREPLACE | RESERVED, -1, 0, EEXIST));
  HOLDS(munmap(room, GRAIN) == 0);
}

/* As allocators do for an alignment of theirs: more than is needed, and what is before and behind goes back. */
static void trimmed_and_used_again(void) {
  char *wide = map(3 * MEGABYTE), *aligned = (char *)(((uintptr_t)wide + MEGABYTE - 1) / MEGABYTE * MEGABYTE);
  HOLDS(aligned == wide || munmap(wide, aligned - wide) == 0);
  HOLDS(munmap(aligned + MEGABYTE, wide + 2 * MEGABYTE - aligned) == 0);
  memset(aligned, 3, MEGABYTE);
  uintptr_t highest = 0;
  int turns = 0;
  for (; turns < 2000; turns++) { // 2 GiB altogether
    char *again = map(MEGABYTE);
    void *other = malloc(turns * 10);
    if (again == MAP_FAILED || again[0] || again[MEGABYTE - 1]) break;
    if ((uintptr_t)again > highest) highest = (uintptr_t)again;
    memset(again, 4, MEGABYTE);
    if (munmap(again, MEGABYTE) < 0) break;
    if (turns % 2) free(other);
  }
  HOLDS(turns == 2000);
  HOLDS(highest && highest < 64 * MEGABYTE);
  HOLDS(all_are(aligned, MEGABYTE, 3) && munmap(aligned, MEGABYTE) == 0);
}

static void grown(void) {
  char *start = map(GRAIN);
  memset(start, 5, GRAIN);
  char *larger = (char *)mremap(start, GRAIN, MEGABYTE, MREMAP_MAYMOVE);
  HOLDS(larger != MAP_FAILED && all_are(larger, GRAIN, 5) && all_are(larger + GRAIN, MEGABYTE - GRAIN, 0));
  HOLDS(mremap(larger, MEGABYTE, GRAIN, 0) == larger && all_are(larger, GRAIN, 5));
  HOLDS(mremap(larger, GRAIN, 4 * (size_t)MEGABYTE, 0) == MAP_FAILED && errno == ENOMEM);
  HOLDS(munmap(larger, GRAIN) == 0 && mremap(larger, GRAIN, GRAIN, 0) == MAP_FAILED && errno == EFAULT);
}

static void files(void) {
  int file = open("mapped", O_CREAT | O_TRUNC | O_RDWR, 0666);
  char text[3 * GRAIN], *copy, *shared;
  memset(text, 'a', sizeof text);
  HOLDS(write(file, text, 2 * GRAIN + 10) == 2 * GRAIN + 10);
  copy = (char *)mmap(NULL, 2 * GRAIN + 10, BOTH, MAP_PRIVATE, file, 0);
  HOLDS(copy != MAP_FAILED && all_are(copy, 2 * GRAIN + 10, 'a') && copy[2 * GRAIN + 10] == 0);
  shared = (char *)mmap(NULL, 3 * GRAIN, BOTH, MAP_SHARED, file, 0);
  HOLDS(shared != MAP_FAILED && all_are(shared, 2 * GRAIN + 10, 'a') && all_are(shared + 2 * GRAIN + 10, GRAIN - 10, 0));
  char *second = (char *)mmap(NULL, GRAIN, PROT_READ, MAP_SHARED, file, GRAIN);
  HOLDS(second != MAP_FAILED && all_are(second, GRAIN, 'a') && munmap(second, GRAIN) == 0);
  HOLDS(close(file) == 0);
  copy[0] = 'x', shared[1] = 'y', shared[2 * GRAIN] = 'z', shared[3 * GRAIN - 1] = '!';
  file = open("mapped", O_RDWR);
  HOLDS(pwrite(file, "w", 1, 2) == 1);
  HOLDS(msync(shared, 3 * GRAIN, MS_SYNC) == 0 && pread(file, text, sizeof text, 0) == 2 * GRAIN + 10);
  HOLDS(memcmp(text, "aywa", 4) == 0 && text[2 * GRAIN] == 'z');
  HOLDS(munmap(copy, 2 * GRAIN + 10) == 0);
  shared[3] = 'm', shared[GRAIN] = 'k';
  HOLDS(munmap(shared, GRAIN) == 0 && pread(file, text, 4, 0) == 4 && memcmp(text, "aywm", 4) == 0);
  HOLDS(mmap(shared + GRAIN, GRAIN, BOTH, MAP_FIXED | RESERVED, -1, 0) == shared + GRAIN && shared[GRAIN] == 0);
  HOLDS(pread(file, text, 1, GRAIN) == 1 && text[0] == 'k');
  shared[2 * GRAIN + 1] = 'e'; // written at exit
  int only_read = open("mapped", O_RDONLY);
  HOLDS(refused(NULL, GRAIN, BOTH, MAP_SHARED, only_read, 0, EACCES));
  HOLDS(mmap(NULL, GRAIN, BOTH, MAP_PRIVATE, only_read, 0) != MAP_FAILED);
  HOLDS(refused(NULL, GRAIN, PROT_READ, MAP_PRIVATE, file, 7, EINVAL));
  close(file), close(only_read);
}

static void what_cannot_be_done(void) {
  static char outside[2 * GRAIN];
  char *aligned = (char *)(((uintptr_t)outside + GRAIN - 1) / GRAIN * GRAIN), *start = map(1);
  HOLDS(refused(NULL, 0, BOTH, RESERVED, -1, 0, EINVAL));
  HOLDS(refused(NULL, GRAIN, BOTH, MAP_ANONYMOUS, -1, 0, EINVAL));
  HOLDS(refused(aligned, GRAIN, BOTH, MAP_FIXED | RESERVED, -1, 0, ENOMEM));
  HOLDS(refused(start + 1, GRAIN, BOTH, MAP_FIXED | RESERVED, -1, 0, EINVAL));
  HOLDS(refused(NULL, GRAIN, BOTH | PROT_EXEC, RESERVED, -1, 0, ENOTSUP));
  HOLDS(refused(NULL, 0xffff8000u, BOTH, RESERVED, -1, 0, ENOMEM));
  HOLDS(refused(NULL, (size_t)-1, BOTH, RESERVED, -1, 0, ENOMEM));
  HOLDS(refused(NULL, GRAIN, BOTH, MAP_PRIVATE, 99, 0, EBADF));
  HOLDS(munmap(start + 1, GRAIN) < 0 && errno == EINVAL);
  HOLDS(mprotect(start, GRAIN, PROT_NONE) == 0 && mprotect(start, GRAIN, PROT_EXEC) < 0 && errno == ENOTSUP);
  HOLDS((mlock(start, GRAIN) + munlock(start, GRAIN) + posix_madvise(start, GRAIN, 0) + munmap(start, 1)) == 0);
}

int main(void) {
  reserved_and_committed();
  trimmed_and_used_again();
  grown();
  files();
  what_cannot_be_done();
  printf("%d hold\n", held);
  return 0;
}
