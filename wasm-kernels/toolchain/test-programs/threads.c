/* What programs with threads call. Valid as C and as C++. FOR_EVER: the name of a function that shall wait for another thread. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int held;
#define HOLDS(expression) ((expression) ? (void)held++ : (void)printf("does not hold: %s\n", #expression))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static volatile int raised;

static void *begin(void *value) { return value; }
static void handler(int number) { raised = number; }

static void threads(void) {
  pthread_t other;
  void *value;
  char name[16];
  sigset_t mask, before;
  HOLDS(pthread_create(&other, NULL, begin, NULL) == ENOTSUP);
  HOLDS(pthread_tryjoin_np(pthread_self(), &value) == EDEADLK && pthread_kill(pthread_self(), 0) == 0);
  HOLDS(signal(SIGUSR1, handler) != SIG_ERR && pthread_kill(pthread_self(), SIGUSR1) == 0 && raised == SIGUSR1);
  HOLDS(sigemptyset(&mask) == 0 && sigaddset(&mask, SIGUSR1) == 0 && pthread_sigmask(SIG_BLOCK, &mask, &before) == 0);
  HOLDS(sigismember(&before, SIGUSR1) == 0 && pthread_sigmask(SIG_SETMASK, &before, &mask) == 0 && sigismember(&mask, SIGUSR1) == 1);
  HOLDS(pthread_atfork(NULL, NULL, NULL) == 0 && pthread_setname_np(pthread_self(), "worker") == 0);
  HOLDS(pthread_setname_np(pthread_self(), "a name of sixteen") == ERANGE && pthread_getname_np(pthread_self(), name, 16) == 0);
  HOLDS(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0 && pthread_cond_signal(&condition) == 0);
}

static void semaphores(void) {
  sem_t semaphore;
  int value = -1;
  struct timespec past = {1, 0}, bad = {1, -1};
  HOLDS(sem_init(&semaphore, 0, 1) == 0 && sem_getvalue(&semaphore, &value) == 0 && value == 1);
  HOLDS(sem_wait(&semaphore) == 0 && sem_trywait(&semaphore) == -1 && errno == EAGAIN);
  HOLDS(sem_timedwait(&semaphore, &past) == -1 && errno == ETIMEDOUT);
  HOLDS(sem_timedwait(&semaphore, &bad) == -1 && errno == EINVAL);
  HOLDS(sem_post(&semaphore) == 0 && sem_timedwait(&semaphore, &past) == 0 && sem_destroy(&semaphore) == 0);
  HOLDS(sem_init(&semaphore, 0, 0x80000000u) == -1 && errno == EINVAL);
}

static void barriers(void) {
  pthread_barrier_t barrier;
  HOLDS(pthread_barrier_init(&barrier, NULL, 0) == EINVAL && pthread_barrier_init(&barrier, NULL, 1) == 0);
  HOLDS(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD && pthread_barrier_destroy(&barrier) == 0);
}

static void turns(void) {
  pthread_attr_t attributes;
  struct sched_param parameters;
  clockid_t clock;
  int number = -1;
  HOLDS(pthread_getattr_np(pthread_self(), &attributes) == 0 && pthread_attr_setschedpolicy(&attributes, SCHED_RR) == 0);
  HOLDS(pthread_attr_getschedpolicy(&attributes, &number) == 0 && number == SCHED_OTHER);
  HOLDS(pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED) == 0 && pthread_attr_setscope(&attributes, PTHREAD_SCOPE_SYSTEM) == 0);
  HOLDS(pthread_attr_getscope(&attributes, &number) == 0 && number == PTHREAD_SCOPE_SYSTEM);
  HOLDS(pthread_attr_getinheritsched(&attributes, &number) == 0 && number == PTHREAD_INHERIT_SCHED);
  HOLDS(pthread_attr_getschedparam(&attributes, &parameters) == 0 && pthread_attr_setschedparam(&attributes, &parameters) == 0);
  HOLDS(pthread_getschedparam(pthread_self(), &number, &parameters) == 0 && parameters.sched_priority == 0);
  HOLDS(pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == EPERM && pthread_setschedprio(pthread_self(), 5) == EPERM);
  HOLDS(pthread_setschedparam(pthread_self(), SCHED_OTHER, &parameters) == 0 && pthread_setschedprio(pthread_self(), 0) == 0);
  HOLDS(pthread_getconcurrency() == 0 && pthread_setconcurrency(3) == 0 && pthread_setconcurrency(-1) == EINVAL);
  HOLDS(pthread_getcpuclockid(pthread_self(), &clock) == 0 && clock == CLOCK_THREAD_CPUTIME_ID);
  HOLDS(sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_FIFO) == 1 && sched_get_priority_max(SCHED_OTHER) == 0);
  HOLDS(sched_getscheduler(0) == SCHED_OTHER && sched_setscheduler(0, SCHED_IDLE, &parameters) == 0);
  HOLDS(sched_setscheduler(0, SCHED_FIFO, &parameters) == -1 && errno == EPERM);
  HOLDS(sched_getparam(0, &parameters) == 0 && sched_setparam(0, &parameters) == 0);
}

static void processors(void) {
  cpu_set_t set, own;
  CPU_ZERO(&set);
  HOLDS(CPU_COUNT(&set) == 0 && sched_setaffinity(0, sizeof set, &set) == -1 && errno == EINVAL);
  CPU_SET(0, &set);
  CPU_SET(9, &set);
  CPU_SET(CPU_SETSIZE, &set);
  HOLDS(CPU_COUNT(&set) == 2 && CPU_ISSET(9, &set) && !CPU_ISSET(1, &set) && !CPU_ISSET(CPU_SETSIZE, &set));
  CPU_CLR(9, &set);
  HOLDS(sched_setaffinity(0, sizeof set, &set) == 0 && sched_getaffinity(0, sizeof own, &own) == 0 && CPU_EQUAL(&set, &own));
  HOLDS(sched_getcpu() == 0 && sched_getaffinity(0, 0, &own) == -1 && errno == EINVAL);
}

#ifdef FOR_EVER
static void for_ever(const char *how) {
  pthread_barrier_t barrier;
  sem_t semaphore;
  pthread_barrier_init(&barrier, NULL, 2);
  sem_init(&semaphore, 0, 0);
  if (strcmp(how, "pthread_cond_wait") == 0) pthread_cond_wait(&condition, &mutex);
  else if (strcmp(how, "sem_wait") == 0) sem_wait(&semaphore);
  else pthread_barrier_wait(&barrier);
}
#endif

int main(void) {
#ifdef FOR_EVER
  for_ever(FOR_EVER);
#endif
  threads();
  semaphores();
  barriers();
  turns();
  processors();
  printf("%d hold\n", held);
  pthread_exit(NULL);
}
