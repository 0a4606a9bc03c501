/* sigsuspend and pause. The only signal that comes to a process that waits is SIGCHLD, when it has a handler for it: any other's ends the process. The host's
   wait() takes a child that has ended away, so that it is kept here for the program's own wait. */
#include "host.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern pid_t (*nightshift_seen_end)(pid_t target, int *status);

/* The oldest first. fork() copies the list: `parent` is then another process. */
struct ended {
  struct ended *next;
  pid_t parent, pid;
  int status;
};
static struct ended *ended;

static pid_t take(pid_t target, int *status) {
  for (struct ended **place = &ended; *place; place = &(*place)->next) {
    struct ended child = **place;
    if (child.parent != getpid() || (target > 0 && target != child.pid)) continue;
    free(*place);
    *place = child.next;
    if (status) *status = child.status;
    return child.pid;
  }
  return 0;
}

static int wait_for_signal(const char *what) {
  struct ended *child = malloc(sizeof *child), **last = &ended;
  if (!child) return -1;
  struct sigaction action;
  sigaction(SIGCHLD, NULL, &action);
  int handled = action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
  nightshift_seen_end = NULL; // of those that end from now on
  child->pid = handled ? waitpid(-1, &child->status, 0) : -1;
  nightshift_seen_end = take;
  if (child->pid < 0) {
    fprintf(stderr, "%s: no signal can end this wait, as only SIGCHLD comes here, to a handler and when there is a child\n", what);
    abort();
  }
  child->parent = getpid();
  child->next = NULL;
  while (*last) last = &(*last)->next;
  *last = child;
  raise(SIGCHLD);
  return result_or_errno(-EINTR);
}

int sigsuspend(const sigset_t *mask) { return (void)mask, wait_for_signal("sigsuspend"); }
int pause(void) { return wait_for_signal("pause"); }
