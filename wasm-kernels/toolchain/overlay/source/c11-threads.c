/* <threads.h>, which wasi-libc declares and has not got, for the one thread of a process: thrd_create answers thrd_error. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <threads.h>
#include <time.h>

static int result(int failure) { return failure == 0 ? thrd_success : thrd_error; }

int thrd_create(thrd_t *thread, thrd_start_t start, void *given) { return (void)thread, (void)start, (void)given, thrd_error; }
int thrd_join(thrd_t thread, int *value) { return (void)thread, (void)value, thrd_error; }
int thrd_detach(thrd_t thread) { return (void)thread, thrd_error; }
_Noreturn void thrd_exit(int value) { (void)value, pthread_exit(NULL); }
thrd_t thrd_current(void) { return pthread_self(); }
int (thrd_equal)(thrd_t one, thrd_t other) { return one == other; }
int thrd_sleep(const struct timespec *duration, struct timespec *remaining) {
  return nanosleep(duration, remaining) == 0 ? 0 : errno == EINTR ? -1 : -2;
}
void thrd_yield(void) { sched_yield(); }
void call_once(once_flag *flag, void (*action)(void)) { pthread_once(flag, action); }

/* A mutex holds its type and how often the one thread has it; who would wait for itself is told so. */
int mtx_init(mtx_t *mutex, int type) {
  *mutex = (mtx_t){0};
  mutex->__u.__i[0] = type;
  return thrd_success;
}
void mtx_destroy(mtx_t *mutex) { (void)mutex; }
static int take(mtx_t *mutex, int otherwise) {
  if (mutex->__u.__i[1] > 0 && !(mutex->__u.__i[0] & mtx_recursive)) return otherwise;
  return mutex->__u.__i[1]++, thrd_success;
}
int mtx_lock(mtx_t *mutex) { return take(mutex, thrd_error); }
int mtx_trylock(mtx_t *mutex) { return take(mutex, thrd_busy); }
int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict end) { return (void)end, take(mutex, thrd_timedout); }
int mtx_unlock(mtx_t *mutex) { return mutex->__u.__i[1] > 0 ? mutex->__u.__i[1]--, thrd_success : thrd_error; }

int cnd_init(cnd_t *condition) { return *condition = (cnd_t){0}, thrd_success; }
void cnd_destroy(cnd_t *condition) { (void)condition; }
int cnd_signal(cnd_t *condition) { return (void)condition, thrd_success; }
int cnd_broadcast(cnd_t *condition) { return (void)condition, thrd_success; }
int cnd_wait(cnd_t *condition, mtx_t *mutex) { return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex)); }
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict end) {
  (void)condition, (void)mutex;
  return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, end, NULL) == 0 ? thrd_timedout : thrd_error;
}

int tss_create(tss_t *key, tss_dtor_t destructor) { return result(pthread_key_create(key, destructor)); }
void tss_delete(tss_t key) { pthread_key_delete(key); }
int tss_set(tss_t key, void *value) { return result(pthread_setspecific(key, value)); }
void *tss_get(tss_t key) { return pthread_getspecific(key); }
