/* What is in files and directories: reading, writing, seeking, sizes, times, listing, and what happens to what is open. */
#include "check.h"

static const __wasi_rights_t ALL = R(FD_DATASYNC) | R(FD_READ) | R(FD_SEEK) | R(FD_FDSTAT_SET_FLAGS) | R(FD_SYNC) | R(FD_TELL) | R(FD_WRITE) |
                                   R(FD_ADVISE) | R(FD_ALLOCATE) | R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_SIZE) | R(FD_FILESTAT_SET_TIMES);

static __wasi_fdstat_t state;
static __wasi_filesize_t offset;

static int seeks(__wasi_fd_t in, int64_t by, int whence) { return __wasi_fd_seek(in, by, (__wasi_whence_t)whence, &offset); }
static int size_of(__wasi_fd_t of) { return __wasi_fd_filestat_get(of, &status) ? -1 : (int)status.size; }

static void positions(void) {
  DOES(opens(ROOT, 0, "file", CREATE, ALL, 0, 0));
  const __wasi_fd_t file = fd;
  DOES(__wasi_fd_tell(file, &offset)), SAME(offset, 0);
  DOES(writes(file, "0123456789")), DOES(__wasi_fd_tell(file, &offset)), SAME(offset, 10);
  DOES(seeks(file, -5, __WASI_WHENCE_CUR)), SAME(offset, 5), DOES(seeks(file, -1, __WASI_WHENCE_END)), SAME(offset, 9);
  DOES(seeks(file, 0, __WASI_WHENCE_SET)), SAME(offset, 0), DOES(seeks(file, 1000, __WASI_WHENCE_CUR)), SAME(offset, 1000);
  GIVES(seeks(file, -2000, __WASI_WHENCE_CUR), E(INVAL)), GIVES(seeks(file, 0, 3), E(INVAL));
  DOES(reads(file)), SAME(buffer[0], 0), SAME(size_of(file), 10);
  DOES(seeks(file, 12, __WASI_WHENCE_SET)), DOES(writes(file, "x")), SAME(size_of(file), 13);
  DOES(seeks(file, 8, __WASI_WHENCE_SET)), DOES(reads(file)), SAME(memcmp(buffer, "89\0\0x", 6), 0);

  char first[2], second[3];
  __wasi_iovec_t into[] = {{(uint8_t *)first, 2}, {(uint8_t *)second, 3}};
  __wasi_ciovec_t from[] = {{(const uint8_t *)"AB", 2}, {(const uint8_t *)"C", 1}};
  __wasi_size_t count;
  DOES(__wasi_fd_pwrite(file, from, 2, 2, &count)), SAME(count, 3);
  DOES(__wasi_fd_pread(file, into, 2, 1, &count)), SAME(count, 5), SAME(memcmp(first, "1A", 2), 0), SAME(memcmp(second, "BC5", 3), 0);
  DOES(__wasi_fd_pread(file, into, 2, 11, &count)), SAME(count, 2), DOES(__wasi_fd_pread(file, into, 2, 99, &count)), SAME(count, 0);
  DOES(__wasi_fd_tell(file, &offset)), SAME(offset, 13);

  DOES(__wasi_fd_filestat_set_size(file, 4)), SAME(size_of(file), 4), DOES(__wasi_fd_filestat_set_size(file, 6)), SAME(size_of(file), 6);
  DOES(__wasi_fd_pread(file, into, 2, 3, &count)), SAME(count, 3), SAME(first[0], 'B'), SAME(first[1], 0), SAME(second[0], 0);
  DOES(__wasi_fd_allocate(file, 0, 3)), SAME(size_of(file), 6), DOES(__wasi_fd_allocate(file, 5, 5)), SAME(size_of(file), 10);
  GIVES(__wasi_fd_allocate(file, 0, 0), E(INVAL));
  DOES(__wasi_fd_advise(file, 1, 5, __WASI_ADVICE_WILLNEED)), SAME(size_of(file), 10);
  DOES(__wasi_fd_sync(file)), DOES(__wasi_fd_datasync(file)), DOES(__wasi_fd_close(file));
  DOES(opens(ROOT, 0, "file", CREATE | TRUNCATE, R(FD_READ) | R(FD_WRITE) | R(FD_FILESTAT_GET), 0, 0));
  DOES(reads(fd)), SAME(buffer[0], 0), SAME(size_of(fd), 0), DOES(__wasi_fd_close(fd));
}

static void appending(void) {
  DOES(opens(ROOT, 0, "file", 0, ALL, 0, __WASI_FDFLAGS_APPEND));
  const __wasi_fd_t file = fd;
  DOES(__wasi_fd_fdstat_get(file, &state)), SAME(state.fs_flags, __WASI_FDFLAGS_APPEND), SAME(state.fs_filetype, __WASI_FILETYPE_REGULAR_FILE);
  DOES(writes(file, "one")), DOES(seeks(file, 0, __WASI_WHENCE_SET)), DOES(writes(file, "two"));
  DOES(__wasi_fd_tell(file, &offset)), SAME(offset, 6);
  DOES(__wasi_fd_fdstat_set_flags(file, 0)), DOES(seeks(file, 0, __WASI_WHENCE_SET)), DOES(writes(file, "ONE"));
  DOES(seeks(file, 0, __WASI_WHENCE_SET)), DOES(reads(file)), SAME(strcmp(buffer, "ONEtwo"), 0);
  DOES(__wasi_fd_fdstat_set_flags(file, __WASI_FDFLAGS_APPEND)), DOES(writes(file, "!")), DOES(__wasi_fd_close(file));
  /* Two descriptors of one file see each other's writes at once. */
  DOES(opens(ROOT, 0, "file", 0, R(FD_READ), 0, 0));
  const __wasi_fd_t reader = fd;
  DOES(opens(ROOT, 0, "file", 0, R(FD_WRITE), 0, 0)), DOES(writes(fd, "1")), DOES(reads(reader)), SAME(strcmp(buffer, "1NEtwo!"), 0);
  DOES(__wasi_fd_close(fd)), DOES(__wasi_fd_close(reader));
}

static void times(void) {
  DOES(opens(ROOT, 0, "file", 0, ALL, 0, 0)), DOES(__wasi_fd_filestat_get(fd, &status));
  const __wasi_filestat_t before = status;
  DOES(__wasi_fd_filestat_set_times(fd, 7, 3000000007, __WASI_FSTFLAGS_MTIM)), DOES(__wasi_fd_filestat_get(fd, &status));
  SAME(status.mtim, 3000000007), SAME(status.atim, before.atim), SAME(status.size, before.size);
  DOES(__wasi_fd_filestat_set_times(fd, 1000000007, 7, __WASI_FSTFLAGS_ATIM)), DOES(__wasi_fd_filestat_get(fd, &status));
  SAME(status.mtim, 3000000007), SAME(status.atim, 1000000007), SAME(status.ctim >= before.ctim, 1);
  GIVES(__wasi_fd_filestat_set_times(fd, 1, 2, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW), E(INVAL));
  GIVES(__wasi_fd_filestat_set_times(fd, 1, 2, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW), E(INVAL));
  DOES(__wasi_fd_filestat_get(fd, &status)), SAME(status.mtim, 3000000007);
  DOES(__wasi_fd_filestat_set_times(fd, 0, 0, __WASI_FSTFLAGS_MTIM_NOW)), DOES(__wasi_fd_filestat_get(fd, &status)), SAME(status.mtim >= before.mtim, 1);
  DOES(__wasi_path_symlink("file", ROOT, "link"));
  DOES(__wasi_path_filestat_set_times(ROOT, FOLLOW, "link", 0, 5000000000, __WASI_FSTFLAGS_MTIM));
  DOES(__wasi_path_filestat_get(ROOT, 0, "file", &status)), SAME(status.mtim, 5000000000);
  DOES(__wasi_path_filestat_set_times(ROOT, 0, "link", 0, 6000000000, __WASI_FSTFLAGS_MTIM));
  DOES(__wasi_path_filestat_get(ROOT, 0, "link", &status)), SAME(status.mtim, 6000000000);
  DOES(__wasi_path_filestat_get(ROOT, FOLLOW, "link", &status)), SAME(status.mtim, 5000000000);
  GIVES(__wasi_path_filestat_set_times(ROOT, 0, "file", 0, 0, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW), E(INVAL));
  GIVES(__wasi_path_filestat_set_times(ROOT, 0, "none", 0, 0, __WASI_FSTFLAGS_MTIM), E(NOENT));
  DOES(__wasi_fd_close(fd)), DOES(__wasi_path_unlink_file(ROOT, "link")), DOES(__wasi_path_unlink_file(ROOT, "file"));
}

/** Counts the entries by buffers of that size and checks what each says; removes what it sees when told to. */
static int lists(__wasi_fd_t dir, size_t size, int removes) {
  static uint8_t entries[4096];
  __wasi_dircookie_t cookie = 0;
  for (int seen = 0;;) {
    __wasi_size_t used, at = 0;
    if (__wasi_fd_readdir(dir, entries, size, cookie, &used)) return -1;
    while (at + sizeof(__wasi_dirent_t) <= used) {
      __wasi_dirent_t entry;
      memcpy(&entry, entries + at, sizeof entry);
      if (at + sizeof entry + entry.d_namlen > used) break;
      char name[256] = {0};
      memcpy(name, entries + at + sizeof entry, entry.d_namlen);
      at += sizeof entry + entry.d_namlen;
      cookie = entry.d_next, seen++;
      if (strcmp(name, ".") == 0 && (__wasi_fd_filestat_get(dir, &status) || status.ino != entry.d_ino)) return -2;
      if (name[0] == '.') continue;
      if (__wasi_path_filestat_get(dir, 0, name, &status) || status.ino != entry.d_ino || status.filetype != entry.d_type) return -3;
      if (removes && __wasi_path_unlink_file(dir, name)) return -4;
    }
    if (used < size) return seen;
  }
}

static void listing(void) {
  char name[20];
  DOES(__wasi_path_create_directory(ROOT, "dir")), DOES(enters(ROOT, "dir"));
  const __wasi_fd_t dir = fd;
  SAME(lists(dir, 256, 0), 2);
  DOES(makes(dir, "file")), DOES(__wasi_path_create_directory(dir, "nested")), DOES(__wasi_path_symlink("file", dir, "link"));
  SAME(lists(dir, 256, 0), 5), SAME(lists(dir, 40, 0), 5);
  DOES(__wasi_path_remove_directory(dir, "nested"));
  int made = 0;
  for (int k = 0; k < 1000; k++) sprintf(name, "file.%d", k), made += makes(dir, name) == 0;
  SAME(made, 1000), SAME(lists(dir, 256, 0), 1004), SAME(lists(dir, 4096, 0), 1004);
  SAME(lists(dir, 300, 1), 1004), SAME(lists(dir, 256, 0), 2);
  DOES(__wasi_fd_close(dir)), DOES(__wasi_path_remove_directory(ROOT, "dir"));
}

/** What is open stays what it is, whatever becomes of its name. */
static void removed_but_open(void) {
  DOES(opens(ROOT, 0, "file", CREATE, ALL, 0, 0));
  const __wasi_fd_t file = fd;
  DOES(writes(file, "kept")), DOES(__wasi_path_unlink_file(ROOT, "file")), DOES(makes(ROOT, "file"));
  DOES(seeks(file, 0, __WASI_WHENCE_SET)), DOES(reads(file)), SAME(strcmp(buffer, "kept"), 0), SAME(size_of(file), 4), SAME(status.nlink, 0);
  DOES(writes(file, "!")), SAME(size_of(file), 5), DOES(__wasi_fd_close(file));
  DOES(__wasi_path_filestat_get(ROOT, 0, "file", &status)), SAME(status.size, 0), DOES(__wasi_path_unlink_file(ROOT, "file"));
  DOES(__wasi_path_create_directory(ROOT, "dir")), DOES(enters(ROOT, "dir"));
  const __wasi_fd_t dir = fd;
  DOES(__wasi_path_remove_directory(ROOT, "dir"));
  GIVES(makes(dir, "file"), E(NOENT)), GIVES(__wasi_path_create_directory(dir, "nested"), E(NOENT));
  DOES(__wasi_path_create_directory(ROOT, "dir")), GIVES(makes(dir, "file"), E(NOENT));
  DOES(__wasi_fd_close(dir)), DOES(__wasi_path_remove_directory(ROOT, "dir"));
}

static void renumbering(void) {
  DOES(opens(ROOT, 0, "one", CREATE, R(FD_READ) | R(FD_WRITE), 0, 0));
  const __wasi_fd_t one = fd;
  DOES(opens(ROOT, 0, "two", CREATE, R(FD_READ), 0, 0));
  const __wasi_fd_t two = fd;
  DOES(__wasi_fd_renumber(one, two)), GIVES(__wasi_fd_close(one), E(BADF));
  DOES(__wasi_fd_fdstat_get(two, &state)), SAME(state.fs_rights_base, R(FD_READ) | R(FD_WRITE));
  GIVES(__wasi_fd_renumber(two, one), E(BADF)), GIVES(__wasi_fd_renumber(one, two), E(BADF));
  DOES(__wasi_fd_renumber(two, two)), DOES(writes(two, "x")), DOES(__wasi_fd_close(two)), GIVES(__wasi_fd_close(two), E(BADF));
  DOES(__wasi_path_filestat_get(ROOT, 0, "one", &status)), SAME(status.size, 1);
  DOES(__wasi_path_unlink_file(ROOT, "one")), DOES(__wasi_path_unlink_file(ROOT, "two"));
  DOES(enters(ROOT, "."));
  const __wasi_fd_t again = fd;
  DOES(__wasi_fd_close(ROOT)), GIVES(__wasi_fd_fdstat_get(ROOT, &state), E(BADF)), DOES(__wasi_fd_fdstat_get(again, &state));
  DOES(makes(again, "file")), DOES(__wasi_path_unlink_file(again, "file"));
}

int main(void) {
  positions();
  appending();
  times();
  listing();
  removed_but_open();
  renumbering();
  return finish();
}
