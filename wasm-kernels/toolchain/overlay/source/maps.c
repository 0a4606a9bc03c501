/* mmap and its kin. There is no memory management unit: a map is memory that belongs to it alone, grown behind malloc's and never given back to
   it (so that a program's own malloc may be made of maps), and what is unmapped is a hole for later maps. Nothing is protected, hence PROT_NONE is
   only memory that nobody asks for. A file's map is a copy. What a program writes to a shared one goes to the file at msync, munmap and exit,
   not at _exit. No memory is shared with a child of fork(). Holes are always zero. */
#include "host.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t PAGE_BYTES = 65536; // sysconf(_SC_PAGESIZE), at which maps begin
static const size_t GRAIN_BYTES = 4096; // of which programs that do not ask for it take a page to be

/** Memory of one kind. They lie in the list by address. */
struct piece {
  struct piece *next;
  char *start;
  size_t bytes;
  enum { HOLE, ANONYMOUS, FILE_COPY, WRITTEN_BACK } kind;
  int descriptor; // the following of WRITTEN_BACK only: a copy of the caller's, who may close his
  off_t offset;
  char *as_read; // what the file is known to hold
};

static struct piece *first, *unused;

static size_t rounded(size_t bytes, size_t unit) { return (bytes + unit - 1) & ~(unit - 1); }

/** New memory, zero, at the end of all; NULL: there is no more. */
static char *grown(size_t bytes) {
  size_t pages = __builtin_wasm_memory_grow(0, rounded(bytes, PAGE_BYTES) / PAGE_BYTES);
  if (pages != SIZE_MAX) return (char *)(pages * PAGE_BYTES);
  errno = ENOMEM;
  return NULL;
}

static struct piece *new_piece(void) {
  if (!unused) {
    struct piece *page = (struct piece *)grown(PAGE_BYTES);
    if (!page) return NULL;
    for (size_t at = 0; at < PAGE_BYTES / sizeof *page; at++) page[at].next = unused, unused = page + at;
  }
  struct piece *piece = unused;
  unused = piece->next;
  return memset(piece, 0, sizeof *piece);
}

/** Ends the piece at this place within it, where another like it begins. */
static int split(struct piece *piece, char *at) {
  struct piece *rest = new_piece();
  if (!rest) return -1;
  size_t before = at - piece->start;
  *rest = *piece;
  if (piece->kind == WRITTEN_BACK) {
    rest->descriptor = dup(piece->descriptor);
    if (rest->descriptor < 0) {
      rest->next = unused, unused = rest;
      return -1;
    }
    rest->offset += before, rest->as_read += before;
  }
  rest->start = at, rest->bytes -= before;
  piece->next = rest, piece->bytes = before;
  return 0;
}

static struct piece *piece_at(const char *place) {
  for (struct piece *piece = first; piece && piece->start <= place; piece = piece->next)
    if (place < piece->start + piece->bytes) return piece;
  return NULL;
}

/** Lets pieces begin and end with this range; -1 with errno: no memory. */
static int cut(char *start, size_t bytes) {
  char *ends[] = {start, start + bytes};
  for (int i = 0; i < 2; i++) {
    struct piece *piece = piece_at(ends[i]);
    if (piece && piece->start != ends[i] && split(piece, ends[i]) < 0) return -1;
  }
  return 0;
}

/** The range is ours, holes included. */
static int is_ours(char *start, size_t bytes) {
  for (char *place = start, *end = start + bytes; place < end;) {
    struct piece *piece = piece_at(place);
    if (!piece) return 0;
    place = piece->start + piece->bytes;
  }
  return 1;
}

/** Writes nothing where nothing is: pages that were never used stay so, and images of the process small. */
static void clear(char *start, size_t bytes) {
  for (size_t at = 0; at < bytes; at += GRAIN_BYTES) {
    const uint64_t *words = (const uint64_t *)(start + at);
    for (size_t i = 0; i < GRAIN_BYTES / sizeof *words; i++) {
      if (!words[i]) continue;
      memset(start + at, 0, GRAIN_BYTES);
      break;
    }
  }
}

/** Writes what the program has changed, but never behind the file's end. */
static int write_back(struct piece *piece) {
  struct stat status;
  if (piece->kind != WRITTEN_BACK) return 0;
  if (fstat(piece->descriptor, &status) < 0) return -1;
  for (size_t at = 0; at < piece->bytes && piece->offset + (off_t)at < status.st_size; at += GRAIN_BYTES) {
    size_t from = 0, to = GRAIN_BYTES;
    off_t left = status.st_size - piece->offset - at;
    if (left < (off_t)to) to = left;
    const char *now = piece->start + at;
    char *then = piece->as_read + at;
    while (from < to && now[from] == then[from]) from++;
    while (to > from && now[to - 1] == then[to - 1]) to--;
    while (from < to) {
      ssize_t written = pwrite(piece->descriptor, now + from, to - from, piece->offset + at + from);
      if (written <= 0) return -1;
      memcpy(then + from, now + from, written);
      from += written;
    }
  }
  return 0;
}

static void write_all_back(void) {
  for (struct piece *piece = first; piece; piece = piece->next) write_back(piece);
}

static void make_holes(char *start, size_t bytes);

static void make_hole(struct piece *piece) {
  if (piece->kind == HOLE) return;
  write_back(piece);
  int was_written_back = piece->kind == WRITTEN_BACK;
  piece->kind = HOLE;
  clear(piece->start, piece->bytes);
  if (!was_written_back) return;
  close(piece->descriptor);
  make_holes(piece->as_read, piece->bytes);
}

/** Of pieces that begin and end with the range. Where there is no memory to cut them, they stay. */
static void make_holes(char *start, size_t bytes) {
  if (cut(start, bytes) < 0) return;
  for (struct piece *piece = first; piece && piece->start < start + bytes; piece = piece->next)
    if (piece->start >= start) make_hole(piece);
}

static void join_holes(void) {
  for (struct piece *piece = first; piece; piece = piece->next) {
    struct piece *next;
    while (piece->kind == HOLE && (next = piece->next) && next->kind == HOLE && next->start == piece->start + piece->bytes) {
      piece->bytes += next->bytes, piece->next = next->next;
      next->next = unused, unused = next;
    }
  }
}

/** An anonymous map of so many bytes, zero; NULL with errno. */
static char *take(size_t bytes) {
  struct piece *piece, *last = NULL;
  for (piece = first; piece; last = piece, piece = piece->next) {
    char *start = (char *)rounded((size_t)piece->start, PAGE_BYTES);
    size_t before = start - piece->start;
    if (piece->kind == HOLE && piece->bytes >= before && piece->bytes - before >= bytes) {
      if (cut(start, bytes) < 0) return NULL;
      piece_at(start)->kind = ANONYMOUS;
      return start;
    }
  }
  piece = new_piece();
  if (!piece) return NULL;
  piece->start = grown(bytes);
  if (!piece->start) {
    piece->next = unused, unused = piece;
    return NULL;
  }
  piece->bytes = rounded(bytes, PAGE_BYTES), piece->kind = HOLE;
  *(last ? &last->next : &first) = piece;
  char *start = piece->start;
  if (cut(start, bytes) < 0) return NULL;
  piece_at(start)->kind = ANONYMOUS;
  return start;
}

/** Of a file, as far as it goes. */
static int read_into(char *start, size_t bytes, int descriptor, off_t offset) {
  for (size_t at = 0; at < bytes;) {
    ssize_t count = pread(descriptor, start + at, bytes - at, offset + at);
    if (count < 0) return -1;
    if (count == 0) break;
    at += count;
  }
  return 0;
}

/** A piece of its own, empty until now, becomes the file's. */
static int become_file(struct piece *piece, int descriptor, off_t offset, int writes_back) {
  static int at_exit;
  if (read_into(piece->start, piece->bytes, descriptor, offset) < 0) return -1;
  if (writes_back) {
    if (!at_exit && atexit(write_all_back) != 0) return result_or_errno(-ENOMEM);
    at_exit = 1;
    char *as_read = take(piece->bytes);
    if (!as_read) return -1;
    int copy = dup(descriptor);
    if (copy < 0) {
      make_holes(as_read, piece->bytes);
      return -1;
    }
    memcpy(as_read, piece->start, piece->bytes);
    piece->descriptor = copy, piece->offset = offset, piece->as_read = as_read;
  }
  piece->kind = writes_back ? WRITTEN_BACK : FILE_COPY;
  return 0;
}

/** 0, 1: and what is written goes to it, or -1 with errno. */
static int may_be_mapped(int descriptor, off_t offset, int protection, int flags) {
  struct stat status;
  int access = fcntl(descriptor, F_GETFL);
  if (access < 0 || fstat(descriptor, &status) < 0) return -1;
  if (offset < 0 || offset % GRAIN_BYTES) return result_or_errno(-EINVAL);
  if (!S_ISREG(status.st_mode)) return result_or_errno(-ENODEV);
  int shared = (flags & MAP_TYPE) != MAP_PRIVATE, writable = (access & O_ACCMODE) == O_RDWR;
  if (!writable && ((access & O_ACCMODE) != O_RDONLY || (shared && (protection & PROT_WRITE)))) return result_or_errno(-EACCES);
  return shared && writable;
}

void *mmap(void *place, size_t length, int protection, int flags, int descriptor, off_t offset) {
  size_t bytes = rounded(length, GRAIN_BYTES);
  int kind = flags & MAP_TYPE, writes_back = 0, is_file = !(flags & MAP_ANONYMOUS);
  int fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
  char *start = place;
  errno = 0;
  if (!length || (kind != MAP_PRIVATE && kind != MAP_SHARED && kind != MAP_SHARED_VALIDATE)) errno = EINVAL;
  else if (bytes < length || bytes > SIZE_MAX - PAGE_BYTES) errno = ENOMEM;
  else if (protection & PROT_EXEC) errno = ENOTSUP;
  else if (fixed && (size_t)start % GRAIN_BYTES) errno = EINVAL;
  else if (fixed && !is_ours(start, bytes)) errno = ENOMEM;
  if (errno || (is_file && (writes_back = may_be_mapped(descriptor, offset, protection, flags)) < 0)) return MAP_FAILED;
  if (fixed) {
    if (cut(start, bytes) < 0) return MAP_FAILED;
    if (flags & MAP_FIXED_NOREPLACE)
      for (struct piece *piece = piece_at(start); piece && piece->start < start + bytes; piece = piece->next)
        if (piece->kind != HOLE) return errno = EEXIST, MAP_FAILED;
    make_holes(start, bytes);
    join_holes();
    if (cut(start, bytes) < 0) return MAP_FAILED;
    piece_at(start)->kind = ANONYMOUS;
  } else {
    start = take(bytes);
    if (!start) return MAP_FAILED;
  }
  if (is_file && become_file(piece_at(start), descriptor, offset, writes_back) < 0) {
    int failure = errno;
    munmap(start, bytes);
    return errno = failure, MAP_FAILED;
  }
  return start;
}

int munmap(void *place, size_t length) {
  size_t bytes = rounded(length, GRAIN_BYTES);
  char *start = place;
  if (!length || (size_t)start % GRAIN_BYTES || bytes < length || (size_t)start > SIZE_MAX - bytes) return result_or_errno(-EINVAL);
  if (cut(start, bytes) < 0) return -1;
  make_holes(start, bytes);
  join_holes();
  return 0;
}

void *mremap(void *place, size_t old_length, size_t new_length, int flags, ...) {
  size_t from = rounded(old_length, GRAIN_BYTES), to = rounded(new_length, GRAIN_BYTES);
  struct piece *piece = piece_at(place);
  errno = 0;
  if (!old_length || !new_length || (flags & ~MREMAP_MAYMOVE) || (size_t)place % GRAIN_BYTES) errno = EINVAL;
  else if (!piece || piece->kind == HOLE || !is_ours(place, from)) errno = EFAULT;
  else if (to > from && (!(flags & MREMAP_MAYMOVE) || to < new_length || to > SIZE_MAX - PAGE_BYTES)) errno = ENOMEM;
  else if (to > from && piece->kind != ANONYMOUS) errno = ENOTSUP;
  if (errno) return MAP_FAILED;
  if (to < from && munmap((char *)place + to, from - to) < 0) return MAP_FAILED;
  if (to <= from) return place;
  char *moved = take(to);
  if (!moved) return MAP_FAILED;
  memcpy(moved, place, from);
  munmap(place, from);
  return moved;
}

int msync(void *place, size_t bytes, int flags) {
  char *start = place;
  if ((size_t)start % GRAIN_BYTES || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC))) return result_or_errno(-EINVAL);
  if (!is_ours(start, bytes)) return result_or_errno(-ENOMEM);
  int failed = 0;
  for (struct piece *piece = piece_at(start); piece && piece->start < start + bytes; piece = piece->next)
    if (write_back(piece) < 0) failed = -1;
  return failed;
}

int madvise(void *place, size_t length, int advice) {
  char *start = place;
  size_t bytes = rounded(length, GRAIN_BYTES);
  if (advice != MADV_DONTNEED) return 0;
  if ((size_t)start % GRAIN_BYTES) return result_or_errno(-EINVAL);
  for (struct piece *piece = first; piece; piece = piece->next) {
    char *from = piece->start > start ? piece->start : start;
    char *to = piece->start + piece->bytes < start + bytes ? piece->start + piece->bytes : start + bytes;
    if (piece->kind == ANONYMOUS && from < to) clear(from, to - from);
  }
  return 0;
}

/* Everything may be read and written, and nothing executed. */
int mprotect(void *start, size_t bytes, int protection) {
  (void)bytes;
  if ((size_t)start % GRAIN_BYTES) return result_or_errno(-EINVAL);
  return result_or_errno(protection & PROT_EXEC ? -ENOTSUP : 0);
}

int posix_madvise(void *start, size_t bytes, int advice) { return (void)start, (void)bytes, (void)advice, 0; }
int mlock(const void *start, size_t bytes) { return (void)start, (void)bytes, 0; }
int munlock(const void *start, size_t bytes) { return (void)start, (void)bytes, 0; }
int mlockall(int flags) { return (void)flags, 0; }
int munlockall(void) { return 0; }
