/* Rights: what a descriptor allows, what it hands on, and that they can only be given up. */
#include "check.h"

static __wasi_fdstat_t state;
static __wasi_filesize_t offset;

static __wasi_rights_t base_of(__wasi_fd_t of) { return __wasi_fd_fdstat_get(of, &state) ? ~R(FD_READ) : state.fs_rights_base; }

static void of_directories(void) {
  DOES(__wasi_fd_fdstat_get(ROOT, &state));
  const __wasi_fdstat_t root = state;
  SAME(root.fs_filetype, __WASI_FILETYPE_DIRECTORY), SAME(root.fs_flags, 0);
  SAME(root.fs_rights_base & (R(FD_SEEK) | R(FD_WRITE) | R(FD_FILESTAT_SET_SIZE)), 0);
  const __wasi_rights_t all = R(PATH_CREATE_DIRECTORY) | R(PATH_CREATE_FILE) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) | R(PATH_OPEN) |
                              R(FD_READDIR) | R(PATH_READLINK) | R(PATH_RENAME_SOURCE) | R(PATH_RENAME_TARGET) | R(PATH_SYMLINK) |
                              R(PATH_REMOVE_DIRECTORY) | R(PATH_UNLINK_FILE) | R(PATH_FILESTAT_GET) | R(PATH_FILESTAT_SET_TIMES) |
                              R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_TIMES);
  const __wasi_rights_t file = R(FD_DATASYNC) | R(FD_READ) | R(FD_SEEK) | R(FD_FDSTAT_SET_FLAGS) | R(FD_SYNC) | R(FD_TELL) | R(FD_WRITE) |
                               R(FD_ADVISE) | R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE) | R(POLL_FD_READWRITE);
  SAME(root.fs_rights_base & all, all), SAME(root.fs_rights_inheriting & (all | file), all | file);
  DOES(opens(ROOT, 0, ".", 0, root.fs_rights_base, root.fs_rights_inheriting, 0)), DOES(__wasi_fd_close(fd));
  DOES(opens(ROOT, 0, ".", 0, 0, 0, 0)), DOES(__wasi_fd_close(fd));
  DOES(opens(ROOT, 0, ".", DIRECTORY, R(FD_READ), 0, 0)), DOES(__wasi_fd_close(fd));
  DOES(opens(ROOT, 0, ".", 0, 0, 0, __WASI_FDFLAGS_NONBLOCK)), DOES(__wasi_fd_close(fd));
  GIVES(opens(ROOT, 0, ".", DIRECTORY, R(FD_READ) | R(FD_WRITE), 0, 0), E(ISDIR));
  DOES(opens(ROOT, 0, ".", DIRECTORY, R(FD_SEEK), 0, 0));
  GIVES(__wasi_fd_seek(fd, 0, __WASI_WHENCE_CUR, &offset), E(ISDIR), E(NOTCAPABLE), E(BADF)), SAME(base_of(fd) & R(FD_SEEK), 0);
  DOES(__wasi_fd_close(fd));
  GIVES(__wasi_fd_tell(ROOT, &offset), E(ISDIR), E(NOTCAPABLE), E(BADF));
  GIVES(reads(ROOT), E(ISDIR), E(NOTCAPABLE), E(BADF)), GIVES(writes(ROOT, "x"), E(ISDIR), E(NOTCAPABLE), E(BADF));
  GIVES(__wasi_fd_allocate(ROOT, 0, 1), E(ISDIR), E(NOTCAPABLE), E(BADF));
  GIVES(__wasi_fd_filestat_set_size(ROOT, 0), E(ISDIR), E(NOTCAPABLE), E(BADF));
}

static void of_files(void) {
  DOES(opens(ROOT, 0, "file", CREATE, R(FD_READ) | R(FD_WRITE) | R(FD_SEEK) | R(FD_TELL), 0, 0));
  DOES(writes(fd, "abcd")), DOES(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &offset)), DOES(reads(fd)), SAME(strcmp(buffer, "abcd"), 0);
  DOES(__wasi_fd_fdstat_set_rights(fd, R(FD_SEEK), 0)), SAME(base_of(fd), R(FD_SEEK));
  GIVES(reads(fd), E(NOTCAPABLE)), GIVES(writes(fd, "x"), E(NOTCAPABLE));
  GIVES(__wasi_fd_filestat_get(fd, &status), E(NOTCAPABLE)), GIVES(__wasi_fd_fdstat_set_flags(fd, 0), E(NOTCAPABLE));
  GIVES(__wasi_fd_fdstat_set_rights(fd, R(FD_SEEK) | R(FD_READ), 0), E(NOTCAPABLE));
  GIVES(__wasi_fd_fdstat_set_rights(fd, R(FD_SEEK), R(FD_READ)), E(NOTCAPABLE));
  DOES(__wasi_fd_close(fd));

  DOES(opens(ROOT, 0, "file", 0, R(FD_READ), 0, 0));
  const __wasi_fd_t file = fd;
  DOES(reads(file)), SAME(strcmp(buffer, "abcd"), 0), GIVES(writes(file, "x"), E(NOTCAPABLE)), SAME(base_of(file), R(FD_READ));
  GIVES(__wasi_fd_seek(file, 0, __WASI_WHENCE_SET, &offset), E(NOTCAPABLE)), GIVES(__wasi_fd_tell(file, &offset), E(NOTCAPABLE));
  __wasi_iovec_t vector = {(uint8_t *)buffer, 1};
  __wasi_size_t count;
  GIVES(__wasi_fd_pread(file, &vector, 1, 0, &count), E(NOTCAPABLE));
  GIVES(__wasi_fd_filestat_set_size(file, 0), E(NOTCAPABLE)), GIVES(__wasi_fd_allocate(file, 0, 9), E(NOTCAPABLE));
  GIVES(__wasi_fd_advise(file, 0, 9, __WASI_ADVICE_NORMAL), E(NOTCAPABLE)), GIVES(__wasi_fd_sync(file), E(NOTCAPABLE));
  GIVES(__wasi_fd_filestat_set_times(file, 0, 0, 0), E(NOTCAPABLE));
  GIVES(opens(file, 0, "below", CREATE, 0, 0, 0), E(NOTDIR), E(NOTCAPABLE));
  DOES(__wasi_fd_close(file));
  DOES(opens(ROOT, 0, "file", 0, R(FD_WRITE), 0, 0)), GIVES(reads(fd), E(NOTCAPABLE)), DOES(writes(fd, "x")), DOES(__wasi_fd_close(fd));
  DOES(opens(ROOT, 0, "file", 0, R(FD_READ) | R(PATH_OPEN) | R(FD_READDIR), 0, 0)), SAME(base_of(fd), R(FD_READ)), DOES(__wasi_fd_close(fd));
}

static void handed_on(void) {
  DOES(opens(ROOT, 0, ".", DIRECTORY, R(PATH_OPEN) | R(PATH_CREATE_FILE) | R(PATH_FILESTAT_SET_SIZE), R(FD_READ), 0));
  const __wasi_fd_t dir = fd;
  DOES(opens(dir, 0, "file", 0, R(FD_READ), 0, 0)), DOES(__wasi_fd_close(fd));
  GIVES(opens(dir, 0, "file", 0, R(FD_WRITE), 0, 0), E(NOTCAPABLE)), GIVES(opens(dir, 0, ".", DIRECTORY, 0, R(FD_WRITE), 0), E(NOTCAPABLE));
  GIVES(__wasi_path_unlink_file(dir, "file"), E(NOTCAPABLE)), GIVES(__wasi_path_filestat_get(dir, 0, "file", &status), E(NOTCAPABLE));
  GIVES(__wasi_path_create_directory(dir, "d"), E(NOTCAPABLE)), GIVES(__wasi_path_remove_directory(dir, "d"), E(NOTCAPABLE));
  GIVES(__wasi_path_symlink("a", dir, "b"), E(NOTCAPABLE)), GIVES(__wasi_path_rename(dir, "file", ROOT, "b"), E(NOTCAPABLE));
  GIVES(__wasi_path_rename(ROOT, "file", dir, "b"), E(NOTCAPABLE)), GIVES(__wasi_path_link(ROOT, 0, "file", dir, "b"), E(NOTCAPABLE));
  GIVES(__wasi_path_link(dir, 0, "file", ROOT, "b"), E(NOTCAPABLE)), GIVES(__wasi_path_filestat_set_times(dir, 0, "file", 0, 0, 0), E(NOTCAPABLE));
  __wasi_size_t used;
  GIVES(__wasi_path_readlink(dir, "file", (uint8_t *)buffer, 9, &used), E(NOTCAPABLE));
  GIVES(__wasi_fd_readdir(dir, (uint8_t *)buffer, 99, 0, &used), E(NOTCAPABLE));
  DOES(opens(dir, 0, "file", TRUNCATE, 0, 0, 0)), DOES(__wasi_fd_close(fd));
  DOES(__wasi_path_filestat_get(ROOT, 0, "file", &status)), SAME(status.size, 0);
  DOES(__wasi_fd_fdstat_set_rights(dir, R(PATH_OPEN), 0)), SAME(base_of(dir), R(PATH_OPEN));
  GIVES(opens(dir, 0, "file", TRUNCATE, 0, 0, 0), E(NOTCAPABLE)), GIVES(opens(dir, 0, "new", CREATE, 0, 0, 0), E(NOTCAPABLE));
  GIVES(opens(dir, 0, "file", 0, R(FD_READ), 0, 0), E(NOTCAPABLE)), DOES(opens(dir, 0, "file", 0, 0, 0, 0)), DOES(__wasi_fd_close(fd));
  DOES(__wasi_fd_fdstat_set_rights(dir, 0, 0)), GIVES(opens(dir, 0, "file", 0, 0, 0, 0), E(NOTCAPABLE));
  DOES(__wasi_fd_close(dir)), DOES(__wasi_path_unlink_file(ROOT, "file"));
}

int main(void) {
  of_directories();
  of_files();
  handed_on();
  return finish();
}
