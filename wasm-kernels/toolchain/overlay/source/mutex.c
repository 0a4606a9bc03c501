/* Mutexes of the one thread: wasi-libc's cannot be taken a second time even when they are recursive, on which std::recursive_mutex rests. Type and count
   stand where musl has them. */
#include <errno.h>
#include <pthread.h>

static int take(pthread_mutex_t *mutex, int otherwise) {
  if (mutex->__u.__i[5] > 0 && (mutex->__u.__i[0] & 3) != PTHREAD_MUTEX_RECURSIVE) return otherwise;
  return mutex->__u.__i[5]++, 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex) { return take(mutex, EDEADLK); }
int pthread_mutex_trylock(pthread_mutex_t *mutex) { return take(mutex, EBUSY); }
int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict end) { return (void)end, take(mutex, EDEADLK); }
int pthread_mutex_unlock(pthread_mutex_t *mutex) { return mutex->__u.__i[5] > 0 ? mutex->__u.__i[5]--, 0 : EPERM; }
