/* Files, pipes, waiting and children as POSIX programs use them, through the C library. Exits with the number of lines that are not as
   they should be. */
#include "holds.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void files(void) {
  struct stat status, other;
  char buffer[64] = "";
  int file = open("data/new", O_RDWR | O_CREAT | O_EXCL, 0644);
  HOLDS(file > 2);
  HOLDS(fails(open("data/new", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST));
  HOLDS(write(file, "hello", 5) == 5 && lseek(file, 0, SEEK_CUR) == 5 && pread(file, buffer, 3, 1) == 3 && strcmp(buffer, "ell") == 0);
  HOLDS(ftruncate(file, 3) == 0 && fstat(file, &status) == 0 && status.st_size == 3 && S_ISREG(status.st_mode));
  HOLDS(stat("data/new", &other) == 0 && other.st_ino == status.st_ino && other.st_dev == status.st_dev);
  HOLDS(link("data/new", "data/hard") == 0 && stat("data/hard", &other) == 0 && other.st_ino == status.st_ino && other.st_nlink == 2);
  HOLDS(symlink("new", "data/soft") == 0 && readlink("data/soft", buffer, sizeof buffer) == 3 && lstat("data/soft", &other) == 0 && S_ISLNK(other.st_mode));
  HOLDS(stat("data/soft", &other) == 0 && other.st_ino == status.st_ino);
  HOLDS(fails(open("data/soft", O_RDONLY | O_NOFOLLOW), ELOOP));
  HOLDS(fails(open("data/new/", O_RDONLY), ENOTDIR) && fails(open("data", O_WRONLY), EISDIR));
  HOLDS(fails(read(open("data/new", O_WRONLY), buffer, 1), EBADF) && fails(write(open("data/new", O_RDONLY), buffer, 1), EBADF));
  HOLDS(fails(lseek(0, 0, SEEK_CUR), ESPIPE));
  HOLDS(fails(open("../outside", O_RDONLY), EPERM) || errno == ENOTCAPABLE || errno == ENOENT);
  HOLDS(rename("data/new", "data/moved") == 0 && fails(access("data/new", F_OK), ENOENT) && access("data/moved", R_OK) == 0);
  HOLDS(mkdir("data/dir", 0755) == 0 && fails(mkdir("data/dir", 0755), EEXIST) && fails(rmdir("data"), ENOTEMPTY) && fails(unlink("data/dir"), EISDIR));
  struct timespec times[2] = {{1000, 5}, {2000, 6}};
  HOLDS(utimensat(AT_FDCWD, "data/moved", times, 0) == 0 && stat("data/hard", &other) == 0 && other.st_atim.tv_sec == 1000 && other.st_mtim.tv_nsec == 6);
  int directory = open("data", O_RDONLY | O_DIRECTORY), count = 0;
  HOLDS(directory > 2 && fstatat(directory, "moved", &other, 0) == 0 && fails(openat(directory, "..", O_RDONLY), ENOTCAPABLE));
  HOLDS(unlink("data/moved") == 0 && unlink("data/hard") == 0 && fstat(file, &other) == 0 && other.st_nlink == 0 && write(file, "!", 1) == 1);
  DIR *listing = fdopendir(directory);
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) count += entry->d_name[0] != '.';
  HOLDS(count == 3 && closedir(listing) == 0);
  FILE *input = fopen("data/in.txt", "r+");
  HOLDS(input && fgets(buffer, sizeof buffer, input) && strcmp(buffer, "first\n") == 0 && fseek(input, 0, SEEK_END) == 0 && fputs("last\n", input) >= 0 && fclose(input) == 0);
  HOLDS(!isatty(0) && !isatty(1) && errno == ENOTTY);
}

static void waiting(void) {
  char buffer[32];
  struct pollfd wishes[2] = {{.fd = 0, .events = POLLIN}, {.fd = 1, .events = POLLOUT}};
  HOLDS(poll(wishes, 2, -1) >= 1 && (wishes[1].revents & POLLOUT));
  int available = 0;
  HOLDS(poll(wishes, 1, -1) == 1 && (wishes[0].revents & POLLIN) && ioctl(0, FIONREAD, &available) == 0 && available == 6);
  HOLDS(read(0, buffer, sizeof buffer) == 6 && memcmp(buffer, "stdin\n", 6) == 0 && read(0, buffer, sizeof buffer) == 0);
  int ends[2];
  HOLDS(pipe(ends) == 0);
  wishes[0].fd = ends[0];
  HOLDS(poll(wishes, 1, 0) == 0 && poll(wishes, 1, 30) == 0);
  HOLDS(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && fails(read(ends[0], buffer, 1), EAGAIN));
  HOLDS(write(ends[1], "abc", 3) == 3 && poll(wishes, 1, 1000) == 1 && read(ends[0], buffer, 9) == 3 && fails(read(ends[0], buffer, 1), EAGAIN));
  pid_t child = fork();
  if (child == 0) {
    usleep(1000);
    _exit(write(ends[1], "child", 5) != 5);
  }
  HOLDS(poll(wishes, 1, -1) == 1 && read(ends[0], buffer, 9) == 5);
  int status = -1;
  HOLDS(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  HOLDS(fails(waitpid(-1, &status, 4), EINVAL) && fails(waitpid(-1, &status, WNOHANG), ECHILD));
  child = fork();
  if (child == 0) {
    kill(getpid(), SIGSTOP);
    for (;;) usleep(1000);
  }
  HOLDS(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  HOLDS(kill(child, SIGCONT) == 0 && waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
  HOLDS(waitpid(child, &status, WNOHANG) == 0 && kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
}

int main(void) {
  files();
  waiting();
  return wrong;
}
