/* <pthread.h>: what programs call beside and wasi-libc has not. A process has one thread; see source/threads.c. */
#include_next <pthread.h>

#ifndef NIGHTSHIFT_PTHREAD_H
#define NIGHTSHIFT_PTHREAD_H

#include <sched.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

void pthread_exit(void *value) __attribute__((__noreturn__));
int pthread_cancel(pthread_t thread);
int pthread_kill(pthread_t thread, int signal);
int pthread_sigmask(int how, const sigset_t *__restrict set, sigset_t *__restrict previous);
int pthread_tryjoin_np(pthread_t thread, void **value);
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes);
int pthread_setname_np(pthread_t thread, const char *name);
int pthread_getname_np(pthread_t thread, char *name, size_t bytes);
int pthread_getaffinity_np(pthread_t thread, size_t bytes, cpu_set_t *set);
int pthread_setaffinity_np(pthread_t thread, size_t bytes, const cpu_set_t *set);
int pthread_getschedparam(pthread_t thread, int *__restrict policy, struct sched_param *__restrict parameters);
int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *parameters);
int pthread_attr_getschedparam(const pthread_attr_t *__restrict attributes, struct sched_param *__restrict parameters);
int pthread_attr_setschedparam(pthread_attr_t *__restrict attributes, const struct sched_param *__restrict parameters);

#ifdef __cplusplus
}
#endif

#endif
