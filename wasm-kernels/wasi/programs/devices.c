/* The devices and /tmp as Unix programs use them. Exits with the number of lines that are not as they should be. */
#include "holds.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[64], zeros[64];

static int lists(const char *path, const char *wanted) {
  DIR *listing = opendir(path);
  if (!listing) return -1;
  int found = 0;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) found += strcmp(entry->d_name, wanted) == 0;
  closedir(listing);
  return found;
}

static void streams(void) {
  static const char *const NAMES[] = {"null", "zero", "full", "random", "urandom"};
  for (size_t k = 0; k < sizeof NAMES / sizeof *NAMES; k++) {
    char path[32];
    struct stat status;
    snprintf(path, sizeof path, "/dev/%s", NAMES[k]);
    FILE *file = fopen(path, "w");
    HOLDS(file && fputs("swallowed", file) >= 0 && (fclose(file) == 0) == (strcmp(NAMES[k], "full") != 0));
    HOLDS((file = fopen(path, "r")) && fread(buffer, 1, sizeof buffer, file) == (strcmp(NAMES[k], "null") ? sizeof buffer : 0) && fclose(file) == 0);
    HOLDS((file = fopen(path, "a+")) && fclose(file) == 0);
    HOLDS(stat(path, &status) == 0 && S_ISCHR(status.st_mode) && status.st_size == 0 && status.st_nlink == 1 && access(path, R_OK | W_OK) == 0);
    HOLDS(fails(open(path, O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST) && fails(open(path, O_RDONLY | O_DIRECTORY), ENOTDIR));
  }
}

static void calls(void) {
  struct stat status, other;
  int null = open("/dev/null", O_RDWR | O_CREAT | O_TRUNC, 0644), zero = open("/dev/zero", O_RDWR), full = open("dev/full", O_RDWR);
  HOLDS(read(null, buffer, 9) == 0 && write(null, "abc", 3) == 3 && pwrite(null, "abc", 3, 7) == 3 && pread(null, buffer, 9, 7) == 0);
  memset(buffer, 1, sizeof buffer);
  HOLDS(read(zero, buffer, 9) == 9 && pread(zero, buffer + 9, 9, 7) == 9 && memcmp(buffer, zeros, 18) == 0 && buffer[18] == 1);
  HOLDS(read(full, buffer, sizeof buffer) == sizeof buffer && memcmp(buffer, zeros, sizeof buffer) == 0);
  HOLDS(fails(write(full, "abc", 3), ENOSPC) && fails(pwrite(full, "abc", 3, 1), ENOSPC));
  HOLDS(lseek(zero, 5, SEEK_SET) == 0 && lseek(zero, -5, SEEK_CUR) == 0 && lseek(zero, 0, SEEK_CUR) == 0 && fails(lseek(zero, 0, 9), EINVAL));
  HOLDS(fails(ftruncate(null, 3), EINVAL) && posix_fallocate(null, 0, 3) == EINVAL && fsync(null) == 0);
  HOLDS(!isatty(null) && errno == ENOTTY);
  HOLDS(fails(write(open("/dev/null", O_RDONLY), "a", 1), EBADF) && fails(read(open("/dev/null", O_WRONLY), buffer, 1), EBADF));
  HOLDS(fstat(null, &status) == 0 && stat("/dev/null", &other) == 0 && status.st_ino == other.st_ino && S_ISCHR(status.st_mode));
  HOLDS(futimens(null, NULL) == 0 && fstat(null, &other) == 0 && status.st_mtim.tv_sec == other.st_mtim.tv_sec);
  struct pollfd wishes[2] = {{.fd = zero, .events = POLLIN}, {.fd = null, .events = POLLOUT}};
  HOLDS(poll(wishes, 2, -1) == 2 && wishes[0].revents == POLLIN && wishes[1].revents == POLLOUT);
  pid_t child = fork();
  if (child == 0) _exit(read(zero, buffer, 4) + write(null, "abc", 3) + (open("/dev/null", O_RDWR) > full));
  int ended = -1;
  HOLDS(waitpid(child, &ended, 0) == child && WEXITSTATUS(ended) == 8);
}

static void random_bytes(void) {
  int first = open("/dev/urandom", O_RDONLY), second = open("/dev/random", O_RDONLY);
  for (int turn = 0; turn < 3; turn++) {
    unsigned char bytes[2][8];
    HOLDS(read(first, bytes[0], 8) == 8 && read(second, bytes[1], 8) == 8 && memcmp(bytes[0], bytes[1], 8) != 0);
    for (int k = 0; k < 16; k++) printf("%02x", bytes[k / 8][k % 8]);
    puts("");
  }
}

static void open_already(void) {
  struct stat status, other;
  FILE *out = fopen("/dev/stdout", "w");
  for (int turn = 0; turn < 3; turn++) {
    HOLDS(out && fprintf(out, "by /dev/stdout: %d\n", turn) > 0 && fflush(out) == 0);
    HOLDS(write(STDOUT_FILENO, "by 1\n", 5) == 5);
  }
  HOLDS(fclose(out) == 0 && fcntl(STDOUT_FILENO, F_GETFD) >= 0);
  FILE *error = fopen("/dev/stderr", "a");
  HOLDS(error && fputs("to stderr\n", error) >= 0 && fclose(error) == 0);
  int in = open("/dev/stdin", O_RDONLY);
  HOLDS(read(in, buffer, 3) == 3 && memcmp(buffer, "std", 3) == 0 && read(0, buffer, 9) == 3 && memcmp(buffer, "in\n", 3) == 0);
  HOLDS(fails(open("/dev/stdin", O_WRONLY), EACCES) && fails(open("/dev/stdout", O_RDWR), EACCES) && fails(open("/dev/fd/0", O_RDONLY | O_DIRECTORY), ENOTDIR));
  int file = open("kept", O_RDWR | O_CREAT, 0644);
  char name[32];
  snprintf(name, sizeof name, "/dev/fd/%d", file);
  int again = open(name, O_RDWR);
  HOLDS(write(file, "kept", 4) == 4 && lseek(again, -3, SEEK_CUR) == 1 && read(file, buffer, 9) == 3);
  HOLDS(stat(name, &status) == 0 && fstat(file, &other) == 0 && status.st_ino == other.st_ino && status.st_size == 4 && S_ISREG(status.st_mode));
  HOLDS(stat("/dev/stdin", &status) == 0 && fstat(0, &other) == 0 && status.st_ino == other.st_ino && status.st_mode == other.st_mode);
  HOLDS(close(file) == 0 && fails(open(name, O_RDONLY), ENOENT) && fails(stat(name, &status), ENOENT) && write(again, "!", 1) == 1);
  HOLDS(fails(open("/dev/fd/01", O_RDONLY), ENOENT) && fails(open("/dev/fd/-1", O_RDONLY), ENOENT) && fails(open("/dev/fd/1/", O_RDONLY), ENOTDIR));
  int directory = open("/dev", O_RDONLY | O_DIRECTORY);
  snprintf(name, sizeof name, "/dev/fd/%d", directory);
  HOLDS(open(name, O_RDONLY | O_DIRECTORY) > directory && fails(open(name, O_WRONLY), EACCES) && openat(directory, "zero", O_RDONLY) > directory);
}

static void directory(void) {
  struct stat status, other;
  HOLDS(stat("/dev", &status) == 0 && S_ISDIR(status.st_mode) && stat("dev/.", &other) == 0 && status.st_ino == other.st_ino);
  HOLDS(lists(".", "dev") == 0 && lists("/", "dev") == 0 && lists("/dev", "null") == 1 && lists("/dev", "fd") == 1 && lists("/dev/fd", ".") == 1);
  HOLDS(fails(open("/dev/absent", O_RDONLY), ENOENT) && fails(open("/dev/new", O_WRONLY | O_CREAT, 0644), EPERM) && fails(open("/dev/fd/x", O_WRONLY | O_CREAT, 0644), EPERM));
  HOLDS(fails(mkdir("/dev/new", 0755), EPERM) && fails(mkdir("/dev/null", 0755), EEXIST) && fails(symlink("null", "/dev/new"), EPERM));
  HOLDS(fails(unlink("/dev/null"), EPERM) && fails(rmdir("/dev"), EPERM) && fails(rmdir("/dev/fd"), EPERM) && fails(unlink("/dev/stdin"), EPERM));
  HOLDS(fails(rename("/dev/null", "null"), EPERM) && fails(rename("/dev", "devices"), EPERM) && fails(rename("kept", "/dev/null"), EPERM) && fails(rename("kept", "/dev/new"), EPERM));
  HOLDS(fails(link("/dev/null", "null"), EPERM) && fails(link("kept", "/dev/new"), EPERM));
  HOLDS(symlink("dev/zero", "zero") == 0 && read(open("zero", O_RDONLY), buffer, 9) == 9 && unlink("zero") == 0);
}

static void temporary(void) {
  HOLDS(fails(access("tmp/absent", F_OK), ENOENT) && getenv("TMPDIR") == NULL);
  FILE *file = fopen("/tmp/x", "w");
  HOLDS(file && fputs("x", file) >= 0 && fclose(file) == 0 && access("/tmp/x", F_OK) == 0 && unlink("/tmp/x") == 0);
  HOLDS(mkdir("/tmp/d", 0755) == 0 && rmdir("/tmp/d") == 0 && rmdir("/tmp") == 0);
  HOLDS(mkdir("tmp", 0755) == 0 && fails(mkdir("/tmp", 0755), EEXIST) && rmdir("tmp") == 0);
  HOLDS(lists("/tmp", "..") == 1 && lists(".", "tmp") == 1);
}

int main(void) {
  int held = open("/dev/zero", O_RDONLY);
  streams();
  calls();
  random_bytes();
  open_already();
  directory();
  temporary();
  HOLDS(read(held, buffer, 5) == 5);
  return wrong;
}
