/* What ordinary command-line programs call beside reading, computing and writing. Valid as C and as C++. */
#include <dirent.h>
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <malloc.h>
#include <mntent.h>
#include <netdb.h>
#include <omp.h>
#include <paths.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/cdefs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/unistd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <wait.h>

/* As readers of files have: its name is that of a function, which a header must not make a macro. */
struct reader {
  off_t (*lseek)(int descriptor, off_t offset, int whence);
};

static int held;
#define HOLDS(expression) ((expression) ? (void)held++ : (void)printf("does not hold: %s\n", #expression))

static void temporary_files(void) {
  char name[] = "part-XXXXXX.txt", folder[] = "/tmp/folder-XXXXXX", bad[] = "no-place";
  int descriptor = mkstemps(name, 4);
  HOLDS(descriptor >= 0 && access(name, F_OK) == 0 && strcmp(name + 11, ".txt") == 0);
  HOLDS(chmod(name, 0600) == 0);
  HOLDS(fchmod(descriptor, 0644) == 0);
  HOLDS(chown(name, getuid(), getgid()) == 0);
  HOLDS(fchown(descriptor, (uid_t)-1, (gid_t)-1) == 0);
  HOLDS(fchown(descriptor, 1000, 1000) < 0 && errno == EPERM);
  HOLDS(chmod("absent", 0600) < 0 && errno == ENOENT);
  HOLDS(chown("absent", 0, 0) < 0 && errno == ENOENT);
  HOLDS(flock(descriptor, LOCK_EX | LOCK_NB) == 0);
  HOLDS(lockf(descriptor, F_LOCK, 0) == 0);
  HOLDS(close(descriptor) == 0 && unlink(name) == 0);
  HOLDS(flock(descriptor, LOCK_UN) < 0 && errno == EBADF);
  HOLDS(mkdtemp(folder) == folder && rmdir(folder) == 0);
  HOLDS(mkstemp(bad) < 0 && errno == EINVAL);
  FILE *file = tmpfile();
  HOLDS(file && fputs("kept", file) >= 0 && fseek(file, 0, SEEK_END) == 0 && ftell(file) == 4);
  fclose(file);
  char first[L_tmpnam], second[L_tmpnam];
  HOLDS(tmpnam(first) && tmpnam(second) && strcmp(first, second) != 0);
  char *made = tempnam(NULL, "pre");
  HOLDS(made && strncmp(made, _PATH_TMP "pre", 8) == 0);
  free(made);
}

static void directories(void) {
  struct dirent own, copy, *entry = NULL;
  mkdir("listed", 0777);
  close(open("listed/a-name-of-some-length", O_CREAT | O_WRONLY, 0666));
  HOLDS(sizeof own.d_name == 256);
  DIR *listing = opendir("listed");
  while (readdir_r(listing, &own, &entry) == 0 && entry && entry->d_name[0] == '.') {
  }
  HOLDS(entry == &own && strcmp(own.d_name, "a-name-of-some-length") == 0 && own.d_type == DT_REG);
  HOLDS(readdir_r(listing, &own, &entry) == 0 && !entry);
  rewinddir(listing);
  do copy = *readdir(listing);
  while (copy.d_name[0] == '.');
  HOLDS(strcmp(copy.d_name, "a-name-of-some-length") == 0);
  closedir(listing);
  HOLDS(unlink("listed/a-name-of-some-length") == 0 && rmdir("listed") == 0);
}

static void abort_on(int signal_number) { exit(100 + signal_number); }

static void alone(void) {
  struct rlimit limit;
  struct termios settings;
  static struct winsize size;
  HOLDS(geteuid() == 0 && getegid() == 0 && !getpwuid(0) && !getgrnam("root"));
  HOLDS((CRTSCTS & (CMSPAR | CLOCAL | CSIZE)) == 0);
  HOLDS(ioctl(1, TIOCGWINSZ, &size) < 0 && size.ws_col == 0);
  struct reader reader = {lseek};
  HOLDS(reader.lseek(9, 0, SEEK_CUR) < 0 && errno == EBADF);
  HOLDS(setuid(0) == 0);
  HOLDS(setuid(5) < 0 && errno == EPERM);
  HOLDS(umask(077) == 022 && umask(022) == 077);
  HOLDS(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == (rlim_t)getdtablesize());
  struct rusage usage;
  struct timespec used, resolution;
  HOLDS(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss >= 8192 && usage.ru_nvcsw == 0);
  while (clock() < CLOCKS_PER_SEC / 500) held += 0;
  HOLDS(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec >= 2000);
  HOLDS(getrusage(7, &usage) < 0 && errno == EINVAL);
  HOLDS(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0 && clock_getres(CLOCK_PROCESS_CPUTIME_ID, &resolution) == 0);
  HOLDS(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) == 0 && used.tv_nsec >= 0);
  struct addrinfo *found;
  struct ifaddrs *interfaces;
  HOLDS(getaddrinfo("localhost", NULL, NULL, &found) == EAI_FAIL && !gethostbyname("localhost"));
  HOLDS(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EAFNOSUPPORT);
  int on = 1;
  HOLDS(setsockopt(1, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 && errno == ENOTSOCK);
  HOLDS(getifaddrs(&interfaces) == 0 && !interfaces);
  HOLDS((getpriority(PRIO_PROCESS, 0) + nice(5)) == 0);
  HOLDS(tcgetattr(0, &settings) < 0 && errno == ENOTTY);
  HOLDS(tcsendbreak(0, 0) < 0 && errno == ENOTTY);
  HOLDS(tcgetpgrp(0) < 0 && tcsetpgrp(0, getpid()) < 0 && errno == ENOTTY);
  memset(&settings, 0, sizeof settings);
  cfmakeraw(&settings);
  HOLDS(cfsetospeed(&settings, B9600) == 0 && cfgetospeed(&settings) == B9600 && (settings.c_cflag & CSIZE) == CS8);
  ucontext_t context;
  context.uc_link = NULL;
  HOLDS(!context.uc_link && ttyname(0) == NULL);
  HOLDS(dlopen("libm.so", 1) == NULL && dlerror() != NULL && dlerror() == NULL);
  HOLDS(getpgrp() == getpid() && getpgid(0) == getpid());
  char options[] = "rw,size=5,nosuid";
  struct mntent mounted = {NULL, NULL, NULL, options, 0, 0};
  HOLDS(!setmntent(MOUNTED, "r") && errno == ENOENT);
  HOLDS(hasmntopt(&mounted, "size") == options + 3 && hasmntopt(&mounted, "nosuid") && !hasmntopt(&mounted, "suid"));
  HOLDS(alarm(1) == 0);
  signal(SIGALRM, abort_on);
  HOLDS(alarm(1) == 0 && alarm(0) == 0);
  void *aligned = memalign(256, 1000), *page = valloc(10);
  HOLDS(((uintptr_t)aligned % 256 + (uintptr_t)page % 65536) == 0);
  HOLDS((madvise(page, 10, 0) + mlock(page, 10) + munlock(page, 10)) == 0);
  free(aligned), free(page);
}

static void one_thread(void) {
  omp_lock_t lock;
  omp_nest_lock_t nested;
  int sum = 0, turns = 0;
  double began = omp_get_wtime();
  omp_init_lock(&lock), omp_init_nest_lock(&nested);
#pragma omp parallel for reduction(+ : sum) schedule(dynamic)
  for (int i = 0; i < 100; i++) {
    omp_set_lock(&lock);
    sum += i, turns += omp_get_thread_num() + 1;
    omp_unset_lock(&lock);
  }
  HOLDS(sum == 4950 && turns == 100 * omp_get_max_threads());
  HOLDS(omp_test_lock(&lock) && !omp_test_lock(&lock));
  HOLDS(omp_test_nest_lock(&nested) == 1 && omp_test_nest_lock(&nested) == 2);
  HOLDS(!omp_in_parallel() && omp_get_wtime() >= began);
}

int main(void) {
  one_thread();
  temporary_files();
  directories();
  alone();
  errno = ENOENT;
  warn("cannot open %s", "a.txt");
  warnx("plain %d", 1);
  error(0, EACCES, "error %d", 2);
  error(0, 0, "error %d", 3);
  HOLDS(error_message_count == 2);
  setlogmask(LOG_UPTO(LOG_NOTICE));
  HOLDS(LOG_FAC(LOG_MAKEPRI(LOG_CRON, LOG_INFO)) == LOG_FAC(LOG_LOCAL7) - 14);
  syslog(LOG_INFO, "not shown");
  syslog(LOG_NOTICE, "shown %s", "here");
  printf("%d hold\n", held);
  fflush(stdout);
  errno = EINVAL;
  err(7, "ended by %s", "err");
}
