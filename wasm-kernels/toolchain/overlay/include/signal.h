/* Adds kill, signal sets and sigaction to wasi-libc's <signal.h>. A handler runs only for a signal that the process raises
   itself, and for SIGCHLD in sigsuspend and pause: nothing arrives asynchronously, and a signal from another process acts as if it had no handler. */
#include_next <signal.h>

#ifndef NIGHTSHIFT_SIGNAL_H
#define NIGHTSHIFT_SIGNAL_H

#define __NEED_pid_t
#define __NEED_sigset_t
#include <bits/alltypes.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define SA_NOCLDSTOP 1
#define SA_NOCLDWAIT 2
#define SA_SIGINFO 4
#define SA_ONSTACK 0x08000000
#define SA_RESTART 0x10000000
#define SA_NODEFER 0x40000000
#define SA_RESETHAND 0x80000000

/* Why a signal came: always SI_USER here, as what is a signal elsewhere ends a program by a trap. Handlers name the others. */
enum { SI_TKILL = -6, SI_SIGIO, SI_ASYNCIO, SI_MESGQ, SI_TIMER, SI_QUEUE, SI_USER };
enum { ILL_ILLOPC = 1, ILL_ILLOPN, ILL_ILLADR, ILL_ILLTRP, ILL_PRVOPC, ILL_PRVREG, ILL_COPROC, ILL_BADSTK };
enum { FPE_INTDIV = 1, FPE_INTOVF, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV, FPE_FLTSUB };
enum { SEGV_MAPERR = 1, SEGV_ACCERR };
enum { BUS_ADRALN = 1, BUS_ADRERR, BUS_OBJERR };
enum { TRAP_BRKPT = 1, TRAP_TRACE };

typedef struct {
  int si_signo;
  int si_errno;
  int si_code;
  pid_t si_pid;
  unsigned si_uid;
  void *si_addr;
  int si_status;
} siginfo_t;

struct sigaction {
  union {
    void (*sa_handler)(int);
    void (*sa_sigaction)(int, siginfo_t *, void *);
  } __sa_handler;
  sigset_t sa_mask;
  int sa_flags;
};
#define sa_handler __sa_handler.sa_handler
#define sa_sigaction __sa_handler.sa_sigaction

int kill(pid_t target, int signal_number);
int sigaction(int signal_number, const struct sigaction *__restrict action, struct sigaction *__restrict previous);
int sigprocmask(int how, const sigset_t *__restrict set, sigset_t *__restrict previous);
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int signal_number);
int sigdelset(sigset_t *set, int signal_number);
int sigismember(const sigset_t *set, int signal_number);
int sigpending(sigset_t *set);           /* none */
int sigsuspend(const sigset_t *mask);    /* until a child ends, when SIGCHLD has a handler */
int killpg(pid_t group, int signal_number); /* a process is a group of its own */
int siginterrupt(int signal_number, int interrupts);

#ifdef __cplusplus
}
#endif

#endif
