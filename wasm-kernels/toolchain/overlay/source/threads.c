/* Threads: a process has one. What would start another fails (pthread_create with ENOTSUP, in wasi-libc), what is about several does nothing, and what
   would wait for another for ever says so and ends the program: in wasi-libc that is a trap without a word. */
#include "host.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAME_BYTES = 16 };

static _Noreturn void wait_for_ever(const char *what) {
  fprintf(stderr, "%s: nobody can end this wait, as a program has one thread here (pthread_create answers ENOTSUP)\n", what);
  abort();
}

static int is_here(pthread_t thread) { return pthread_equal(thread, pthread_self()); }

/* The last thread to leave ends the process. */
_Noreturn void pthread_exit(void *value) { (void)value, exit(0); }

int pthread_cancel(pthread_t thread) {
  if (!is_here(thread)) return ESRCH;
  pthread_exit(PTHREAD_CANCELED);
}

int pthread_kill(pthread_t thread, int signal) {
  if (!is_here(thread)) return ESRCH;
  return signal != 0 && raise(signal) != 0 ? errno : 0;
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict previous) {
  return sigprocmask(how, set, previous) ? errno : 0;
}

int pthread_tryjoin_np(pthread_t thread, void **value) { return (void)value, is_here(thread) ? EDEADLK : ESRCH; }

/* fork() copies the one thread, whose locks are its own in the child as well. */
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) { return (void)prepare, (void)parent, (void)child, 0; }

int pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex) {
  (void)condition, (void)mutex, wait_for_ever("pthread_cond_wait");
}

/* How many others must come stands where musl has it. */
int pthread_barrier_init(pthread_barrier_t *restrict barrier, const pthread_barrierattr_t *restrict attributes, unsigned count) {
  (void)attributes;
  if (count == 0 || count > INT_MAX) return EINVAL;
  *barrier = (pthread_barrier_t){0};
  barrier->__u.__i[2] = (int)count - 1;
  return 0;
}

int pthread_barrier_wait(pthread_barrier_t *barrier) {
  if (barrier->__u.__i[2] > 0) wait_for_ever("pthread_barrier_wait");
  return PTHREAD_BARRIER_SERIAL_THREAD;
}

/* ---- semaphores: a number, which nobody else changes */

int sem_init(sem_t *semaphore, int shared, unsigned value) {
  (void)shared;
  if (value > INT_MAX) return result_or_errno(-EINVAL);
  semaphore->__val[0] = value;
  return 0;
}

int sem_destroy(sem_t *semaphore) { return (void)semaphore, 0; }

int sem_post(sem_t *semaphore) {
  if (semaphore->__val[0] == INT_MAX) return result_or_errno(-EOVERFLOW);
  semaphore->__val[0]++;
  return 0;
}

int sem_trywait(sem_t *semaphore) {
  if (semaphore->__val[0] == 0) return result_or_errno(-EAGAIN);
  semaphore->__val[0]--;
  return 0;
}

int sem_wait(sem_t *semaphore) {
  if (sem_trywait(semaphore) != 0) wait_for_ever("sem_wait");
  return 0;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
  if (sem_trywait(semaphore) == 0) return 0;
  if (until->tv_nsec < 0 || until->tv_nsec >= 1000000000) return result_or_errno(-EINVAL);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (until->tv_sec > now.tv_sec || (until->tv_sec == now.tv_sec && until->tv_nsec > now.tv_nsec))
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, until, NULL);
  return result_or_errno(-ETIMEDOUT);
}

int sem_getvalue(sem_t *restrict semaphore, int *restrict value) { return *value = semaphore->__val[0], 0; }

/* ---- names, priorities and what else only tells threads apart: the usual is granted */

int pthread_setname_np(pthread_t thread, const char *name) { return (void)thread, strlen(name) < NAME_BYTES ? 0 : ERANGE; }

int pthread_getname_np(pthread_t thread, char *name, size_t bytes) {
  (void)thread;
  if (bytes < NAME_BYTES) return ERANGE;
  *name = 0;
  return 0;
}

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes) { return (void)thread, pthread_attr_init(attributes); }

static int usual(struct sched_param *parameters) {
  memset(parameters, 0, sizeof *parameters);
  return 0;
}

int pthread_getschedparam(pthread_t thread, int *restrict policy, struct sched_param *restrict parameters) {
  return (void)thread, *policy = SCHED_OTHER, usual(parameters);
}
int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *parameters) {
  return (void)thread, (void)parameters, policy == SCHED_OTHER ? 0 : EPERM;
}
int pthread_setschedprio(pthread_t thread, int priority) { return (void)thread, priority == 0 ? 0 : EPERM; }
int pthread_attr_getschedparam(const pthread_attr_t *restrict attributes, struct sched_param *restrict parameters) {
  return (void)attributes, usual(parameters);
}
int pthread_attr_setschedparam(pthread_attr_t *restrict attributes, const struct sched_param *restrict parameters) {
  return (void)attributes, (void)parameters, 0;
}
int pthread_attr_getschedpolicy(const pthread_attr_t *restrict attributes, int *restrict policy) {
  return (void)attributes, *policy = SCHED_OTHER, 0;
}
int pthread_attr_setschedpolicy(pthread_attr_t *attributes, int policy) { return (void)attributes, (void)policy, 0; }
int pthread_attr_getinheritsched(const pthread_attr_t *restrict attributes, int *restrict inherits) {
  return (void)attributes, *inherits = PTHREAD_INHERIT_SCHED, 0;
}
int pthread_attr_setinheritsched(pthread_attr_t *attributes, int inherits) { return (void)attributes, (void)inherits, 0; }
int pthread_attr_getscope(const pthread_attr_t *restrict attributes, int *restrict scope) {
  return (void)attributes, *scope = PTHREAD_SCOPE_SYSTEM, 0;
}
int pthread_attr_setscope(pthread_attr_t *attributes, int scope) { return (void)attributes, (void)scope, 0; }
int pthread_getconcurrency(void) { return 0; }
int pthread_setconcurrency(int level) { return level < 0 ? EINVAL : 0; }
int pthread_getcpuclockid(pthread_t thread, clockid_t *clock) {
  return is_here(thread) ? *clock = CLOCK_THREAD_CPUTIME_ID, 0 : ESRCH;
}

/* ---- turns and processors: there is the usual turn, and processor 0 */

int sched_getcpu(void) { return 0; }
int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set) {
  (void)pid;
  if (bytes < 1) return result_or_errno(-EINVAL);
  memset(set, 0, bytes);
  set->bits[0] = 1;
  return 0;
}
int sched_setaffinity(pid_t pid, size_t bytes, const cpu_set_t *set) {
  return (void)pid, bytes > 0 && set->bits[0] & 1 ? 0 : result_or_errno(-EINVAL);
}
int pthread_getaffinity_np(pthread_t thread, size_t bytes, cpu_set_t *set) {
  return (void)thread, sched_getaffinity(0, bytes, set) ? errno : 0;
}
int pthread_setaffinity_np(pthread_t thread, size_t bytes, const cpu_set_t *set) {
  return (void)thread, sched_setaffinity(0, bytes, set) ? errno : 0;
}
static int most(int policy) { return policy == SCHED_FIFO || policy == SCHED_RR ? 99 : 0; }
int sched_get_priority_max(int policy) { return most(policy); }
int sched_get_priority_min(int policy) { return most(policy) > 0; }
int sched_getscheduler(pid_t pid) { return (void)pid, SCHED_OTHER; }
int sched_setscheduler(pid_t pid, int policy, const struct sched_param *parameters) {
  return (void)pid, (void)parameters, policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE ? 0 : result_or_errno(-EPERM);
}
int sched_getparam(pid_t pid, struct sched_param *parameters) { return (void)pid, usual(parameters); }
int sched_setparam(pid_t pid, const struct sched_param *parameters) { return (void)pid, (void)parameters, 0; }
