/* Signal sets, and a mask that is kept but blocks nothing: no signal arrives asynchronously. */
#include "host.h"
#include <signal.h>

static sigset_t mask;

static int change(sigset_t *set, int signal_number, int add) {
  if (signal_number < 1 || signal_number >= _NSIG) return result_or_errno(-EINVAL);
  sigset_t bit = 1ULL << (signal_number - 1);
  *set = add ? *set | bit : *set & ~bit;
  return 0;
}

int sigemptyset(sigset_t *set) { return (int)(*set = 0); }

int sigfillset(sigset_t *set) {
  *set = ~0ULL;
  return 0;
}

int sigaddset(sigset_t *set, int signal_number) { return change(set, signal_number, 1); }

int sigdelset(sigset_t *set, int signal_number) { return change(set, signal_number, 0); }

int sigismember(const sigset_t *set, int signal_number) {
  if (signal_number < 1 || signal_number >= _NSIG) return result_or_errno(-EINVAL);
  return (int)(*set >> (signal_number - 1) & 1);
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict previous) {
  sigset_t before = mask;
  if (set && how == SIG_BLOCK) mask |= *set;
  else if (set && how == SIG_UNBLOCK) mask &= ~*set;
  else if (set && how == SIG_SETMASK) mask = *set;
  else if (set) return result_or_errno(-EINVAL);
  if (previous) *previous = before;
  return 0;
}

int sigpending(sigset_t *set) { return sigemptyset(set); }
