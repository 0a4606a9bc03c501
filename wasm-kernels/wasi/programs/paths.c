/* Paths: where they lead, links of both kinds, slashes at the end, renaming and removing. */
#include "check.h"

static __wasi_fd_t base;

static int link_to(const char *target, const char *path) { return __wasi_path_symlink(target, base, path); }
static int stat_of(int flags, const char *path) { return __wasi_path_filestat_get(base, (__wasi_lookupflags_t)flags, path, &status); }
static int renames(const char *from, const char *to) { return __wasi_path_rename(base, from, base, to); }
static int links(int flags, const char *from, const char *to) { return __wasi_path_link(base, (__wasi_lookupflags_t)flags, from, base, to); }
static int mkdirs(const char *path) { return __wasi_path_create_directory(base, path); }
static int rmdirs(const char *path) { return __wasi_path_remove_directory(base, path); }
static int unlinks(const char *path) { return __wasi_path_unlink_file(base, path); }
static int reaches(int follow, const char *path, int oflags) {
  int error = opens(base, follow, path, oflags, 0, 0, 0);
  return error ? error : __wasi_fd_close(fd);
}

static void where_paths_lead(void) {
  DOES(mkdirs("dir")), DOES(mkdirs("dir/nested")), DOES(makes(base, "dir/nested/file"));
  GIVES(reaches(0, "/dir/nested/file", 0), E(NOTCAPABLE));
  DOES(reaches(0, "dir/.//nested/../../dir/nested/../nested///./file", 0));
  GIVES(reaches(0, "dir/nested/file/", 0), E(NOTDIR)), GIVES(reaches(0, "dir/nested/file///", 0), E(NOTDIR));
  GIVES(reaches(0, "dir/nested/file/.", 0), E(NOTDIR));
  DOES(reaches(0, "dir/nested/", 0)), DOES(reaches(0, "dir/nested///", 0));
  GIVES(reaches(0, "..", 0), E(NOTCAPABLE)), GIVES(reaches(0, "dir/../..", 0), E(NOTCAPABLE));
  GIVES(reaches(0, "dir/nested/../../../base/dir/nested/file", 0), E(NOTCAPABLE));
  GIVES(reaches(0, "", 0), E(NOENT)), GIVES(reaches(0, "missing", 0), E(NOENT)), GIVES(reaches(0, "missing/..", 0), E(NOENT));
  GIVES(reaches(0, "dir/nested/file/..", 0), E(NOTDIR));
  GIVES(reaches(0, "dir/nested/file", CREATE | EXCLUSIVE), E(EXIST)), GIVES(reaches(0, "dir", CREATE), E(ISDIR));
  GIVES(reaches(0, "dir/nested/file", DIRECTORY), E(NOTDIR)), GIVES(reaches(0, "new/", CREATE), E(ISDIR));
  static char name[257], path[5001];
  memset(name, 'n', 256), memset(path, 'p', 5000);
  GIVES(mkdirs(name), E(NAMETOOLONG)), GIVES(mkdirs(path), E(NAMETOOLONG));
  name[255] = 0;
  DOES(mkdirs(name)), DOES(rmdirs(name));
  DOES(unlinks("dir/nested/file")), DOES(rmdirs("dir/nested")), DOES(rmdirs("dir"));
}

static void symbolic_links(void) {
  char text[10] = {0};
  __wasi_size_t used = 0;
  DOES(link_to("target", "link"));
  GIVES(reaches(0, "link", DIRECTORY), E(LOOP), E(NOTDIR)), GIVES(reaches(0, "link", 0), E(LOOP)), GIVES(reaches(FOLLOW, "link", 0), E(NOENT));
  GIVES(stat_of(FOLLOW, "link"), E(NOENT)), DOES(stat_of(0, "link"));
  SAME(status.filetype, __WASI_FILETYPE_SYMBOLIC_LINK), SAME(status.size, 6);
  DOES(__wasi_path_readlink(base, "link", (uint8_t *)text, sizeof text, &used)), SAME(used, 6), SAME(memcmp(text, "target\0\0\0", 10), 0);
  DOES(__wasi_path_readlink(base, "link", (uint8_t *)text, 4, &used)), SAME(used, 4);
  DOES(__wasi_path_readlink(base, "link", (uint8_t *)text, 0, &used)), SAME(used, 0);
  GIVES(__wasi_path_readlink(base, ".", (uint8_t *)text, 4, &used), E(INVAL)), GIVES(link_to("other", "link"), E(EXIST));
  GIVES(reaches(FOLLOW, "link", CREATE | EXCLUSIVE), E(EXIST));
  DOES(reaches(FOLLOW, "link", CREATE)); /* makes the target */
  DOES(stat_of(0, "target")), SAME(status.filetype, __WASI_FILETYPE_REGULAR_FILE);
  GIVES(reaches(0, "link", 0), E(LOOP)), DOES(reaches(FOLLOW, "link", 0));
  GIVES(reaches(FOLLOW, "link", DIRECTORY), E(NOTDIR)), GIVES(reaches(FOLLOW, "link/", 0), E(NOTDIR));
  DOES(unlinks("target")), DOES(mkdirs("target"));
  GIVES(reaches(0, "link", DIRECTORY), E(LOOP), E(NOTDIR));
  DOES(reaches(FOLLOW, "link", DIRECTORY)), DOES(makes(base, "link/file")), DOES(stat_of(0, "target/file"));
  DOES(unlinks("target/file")), DOES(unlinks("link")), DOES(rmdirs("target"));

  GIVES(link_to("/", "link"), E(NOTCAPABLE), E(PERM)), GIVES(link_to("", "link"), E(NOENT));
  DOES(link_to("loop", "loop"));
  GIVES(reaches(0, "loop", 0), E(LOOP)), GIVES(reaches(FOLLOW, "loop", 0), E(LOOP)), GIVES(reaches(0, "loop/x", 0), E(LOOP));
  DOES(unlinks("loop"));
  DOES(link_to("../outside", "escape"));
  GIVES(reaches(FOLLOW, "escape", 0), E(NOTCAPABLE)), GIVES(reaches(FOLLOW, "escape/x", 0), E(NOTCAPABLE));
  DOES(unlinks("escape"));
  GIVES(link_to("source", "slash/"), E(NOENT));
  DOES(mkdirs("slash")), GIVES(link_to("source", "slash/"), E(EXIST)), GIVES(link_to("source", "slash"), E(EXIST)), DOES(rmdirs("slash"));
  DOES(makes(base, "slash")), GIVES(link_to("source", "slash/"), E(NOTDIR), E(EXIST)), GIVES(link_to("source", "slash"), E(EXIST));
  DOES(unlinks("slash"));
}

static void hard_links(void) {
  DOES(makes(base, "file")), DOES(links(0, "file", "link")), DOES(stat_of(0, "file"));
  __wasi_filestat_t file = status;
  DOES(stat_of(0, "link")), SAME(file.nlink, 2), SAME(memcmp(&file, &status, sizeof file), 0);
  DOES(opens(base, 0, "link", 0, R(FD_WRITE), 0, 0)), DOES(writes(fd, "through a link")), DOES(__wasi_fd_close(fd));
  DOES(stat_of(0, "file")), SAME(status.size, 14);
  DOES(unlinks("file")), DOES(stat_of(0, "link")), SAME(status.nlink, 1), SAME(status.size, 14);
  DOES(renames("link", "file"));
  GIVES(links(0, "file", "file"), E(EXIST)), GIVES(links(0, "missing", "link"), E(NOENT));
  DOES(mkdirs("dir")), GIVES(links(0, "file", "dir"), E(EXIST)), GIVES(links(0, "dir", "link"), E(PERM), E(ACCES));
  DOES(links(0, "file", "dir/link")), DOES(unlinks("dir/link")), DOES(rmdirs("dir"));
  GIVES(links(0, "file", "link/"), E(NOENT));
  DOES(link_to("target", "symlink")), DOES(links(0, "symlink", "link"));
  DOES(stat_of(0, "link")), SAME(status.filetype, __WASI_FILETYPE_SYMBOLIC_LINK);
  GIVES(links(0, "file", "symlink"), E(EXIST)), GIVES(links(FOLLOW, "symlink", "other"), E(NOENT), E(INVAL));
  DOES(unlinks("link")), DOES(unlinks("symlink")), DOES(unlinks("file"));
}

static void renaming(void) {
  DOES(mkdirs("source")), DOES(renames("source", "target"));
  GIVES(reaches(0, "source", DIRECTORY), E(NOENT)), DOES(reaches(0, "target", DIRECTORY));
  DOES(renames("target/", "source")), DOES(renames("source", "target/")), DOES(renames("target/", "source/"));
  DOES(mkdirs("target")), DOES(renames("source", "target")), GIVES(reaches(0, "source", 0), E(NOENT));
  DOES(mkdirs("source")), DOES(makes(base, "target/file"));
  GIVES(renames("source", "target"), E(NOTEMPTY)), GIVES(renames("source", "target/file"), E(NOTDIR)), GIVES(renames("target/file", "source"), E(ISDIR));
  GIVES(renames("target", "target/inside"), E(INVAL)), GIVES(renames("missing", "source"), E(NOENT)), GIVES(renames("target/file", "file/"), E(NOTDIR));
  DOES(renames("target/file", "file")), DOES(renames("file", "file"));
  DOES(makes(base, "second")), DOES(renames("file", "second")), GIVES(reaches(0, "file", 0), E(NOENT));
  DOES(links(0, "second", "third")), DOES(renames("second", "third")), DOES(reaches(0, "second", 0)), DOES(reaches(0, "third", 0));
  DOES(unlinks("second")), DOES(unlinks("third"));
  DOES(mkdirs("source/a")), DOES(makes(base, "source/a/b")), DOES(renames("source", "target/moved")), DOES(reaches(0, "target/moved/a/b", 0));
  DOES(unlinks("target/moved/a/b")), DOES(rmdirs("target/moved/a")), DOES(rmdirs("target/moved")), DOES(rmdirs("target"));
}

static void removing(void) {
  DOES(mkdirs("dir")), DOES(mkdirs("dir/nested"));
  GIVES(rmdirs("dir"), E(NOTEMPTY)), GIVES(unlinks("dir"), E(ISDIR)), GIVES(unlinks("dir/"), E(ISDIR));
  GIVES(mkdirs("dir"), E(EXIST)), GIVES(mkdirs("missing/dir"), E(NOENT)), GIVES(rmdirs("dir/nested/."), E(INVAL));
  DOES(rmdirs("dir/nested/")), DOES(rmdirs("dir")), GIVES(rmdirs("dir"), E(NOENT)), GIVES(unlinks("dir"), E(NOENT));
  DOES(makes(base, "file"));
  GIVES(rmdirs("file"), E(NOTDIR)), GIVES(rmdirs("file/"), E(NOTDIR)), GIVES(unlinks("file/"), E(NOTDIR)), GIVES(mkdirs("file/dir"), E(NOTDIR));
  DOES(unlinks("file"));
}

int main(void) {
  DOES(__wasi_path_create_directory(ROOT, "base")), DOES(enters(ROOT, "base"));
  base = fd;
  where_paths_lead();
  symbolic_links();
  hard_links();
  renaming();
  removing();
  DOES(__wasi_fd_close(base)), DOES(__wasi_path_remove_directory(ROOT, "base"));
  return finish();
}
