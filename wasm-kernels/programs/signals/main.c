/* Signals between processes: a child sleeps, its parent asks after it, kills it and reads the status; then a child that ends with
   an exit code, one that aborts, and a handler for a signal that the process raises itself. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t handled;

static void handler(int signal_number) { handled = signal_number; }

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static pid_t start(void (*child)(void)) {
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    child();
    _exit(99);
  }
  return pid;
}

static void sleeps(void) {
  for (;;) sleep(60);
}
static void exits(void) { _exit(42); }
static void aborts(void) { abort(); }

static void report(const char *what, pid_t pid) {
  int status;
  if (waitpid(pid, &status, 0) != pid) fail("waitpid");
  if (WIFSIGNALED(status)) printf("%s: ended by signal %s\n", what, WTERMSIG(status) == SIGTERM ? "SIGTERM" : WTERMSIG(status) == SIGKILL ? "SIGKILL" : "other");
  else printf("%s: exit code %d\n", what, WEXITSTATUS(status));
}

int main(void) {
  int status;
  pid_t pid = start(sleeps);
  printf("asleep: waitpid with WNOHANG says %d\n", (int)waitpid(pid, &status, WNOHANG));
  printf("asleep: kill with signal 0 says %d\n", kill(pid, 0));
  if (kill(pid, SIGTERM) < 0) fail("kill");
  report("asleep", pid);

  pid = start(sleeps);
  if (kill(pid, SIGKILL) < 0) fail("kill");
  report("killed", pid);
  report("exits", start(exits));
  report("aborts", start(aborts));
  printf("no child is left: %s\n", wait(&status) == -1 && errno == ECHILD ? "ECHILD" : "unexpected");

  signal(SIGUSR1, handler);
  raise(SIGUSR1);
  printf("handler saw %s\n", handled == SIGUSR1 ? "SIGUSR1" : "nothing");
  return 0;
}
