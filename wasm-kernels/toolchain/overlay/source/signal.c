/* kill, raise, signal and sigaction. Handlers live in the program and run when it raises the signal itself; everything else
   about signals is the host's, which knows only the default actions. */
#include "host.h"
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/** Sends a signal (0: only asks whether it could) to a process: 0, -ESRCH, -EPERM or -EINVAL. Does not return when the signal ends the caller. */
NIGHTSHIFT_IMPORT("kill") int nightshift_kill(int target, int signal_number);

static struct sigaction actions[_NSIG];

/* wasi-libc's SIG_IGN and SIG_ERR are these two functions' addresses. */
void __SIG_IGN(int signal_number) { (void)signal_number; }
void __SIG_ERR(int signal_number) { (void)signal_number; }

static int is_signal(int signal_number) { return signal_number > 0 && signal_number < _NSIG; }

static int ignored_by_default(int signal_number) {
  return signal_number == SIGCHLD || signal_number == SIGCONT || signal_number == SIGURG || signal_number == SIGWINCH;
}

int sigaction(int signal_number, const struct sigaction *restrict action, struct sigaction *restrict previous) {
  if (!is_signal(signal_number) || (action && (signal_number == SIGKILL || signal_number == SIGSTOP))) return result_or_errno(-EINVAL);
  struct sigaction before = actions[signal_number];
  if (action) actions[signal_number] = *action;
  if (previous) *previous = before;
  return 0;
}

void (*signal(int signal_number, void (*handler)(int)))(int) {
  struct sigaction action = {.sa_mask = 0, .sa_flags = SA_RESTART}, previous;
  action.sa_handler = handler;
  return sigaction(signal_number, &action, &previous) == 0 ? previous.sa_handler : SIG_ERR;
}

int raise(int signal_number) {
  if (!is_signal(signal_number)) return result_or_errno(-EINVAL);
  struct sigaction action = actions[signal_number];
  if (action.sa_handler == SIG_IGN) return 0;
  if (action.sa_handler == SIG_DFL) {
    if (ignored_by_default(signal_number)) return 0;
    return result_or_errno(nightshift_kill(getpid(), signal_number));
  }
  if (action.sa_flags & (int)SA_RESETHAND) actions[signal_number].sa_handler = SIG_DFL;
  if (action.sa_flags & SA_SIGINFO) {
    siginfo_t information = {.si_signo = signal_number, .si_pid = getpid()};
    action.sa_sigaction(signal_number, &information, NULL);
  } else {
    action.sa_handler(signal_number);
  }
  return 0;
}

int kill(pid_t target, int signal_number) {
  if (is_signal(signal_number) && target == getpid()) return raise(signal_number);
  return result_or_errno(nightshift_kill(target, signal_number));
}

int killpg(pid_t group, int signal_number) { return kill(group ? group : getpid(), signal_number); }

/* Nothing is interrupted. */
int siginterrupt(int signal_number, int interrupts) { return (void)interrupts, result_or_errno(is_signal(signal_number) ? 0 : -EINVAL); }
