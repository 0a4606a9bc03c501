/* <sched.h>: the kinds of turns that Linux knows, of which a process has the usual one, and the processors, of which it has one. */
#include_next <sched.h>

#ifndef NIGHTSHIFT_SCHED_H
#define NIGHTSHIFT_SCHED_H

#include <string.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCHED_OTHER 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define SCHED_BATCH 3
#define SCHED_IDLE 5

#define CPU_SETSIZE 1024
typedef struct cpu_set_t {
  unsigned char bits[CPU_SETSIZE / 8];
} cpu_set_t;

static __inline int __cpu_count(const cpu_set_t *set) {
  int at, count = 0;
  for (at = 0; at < CPU_SETSIZE / 8; at++) count += __builtin_popcount(set->bits[at]);
  return count;
}
#define CPU_ZERO(set) memset((set), 0, sizeof(cpu_set_t))
#define CPU_SET(cpu, set) ((void)((unsigned)(cpu) < CPU_SETSIZE && ((set)->bits[(cpu) / 8] |= 1 << (cpu) % 8)))
#define CPU_CLR(cpu, set) ((void)((unsigned)(cpu) < CPU_SETSIZE && ((set)->bits[(cpu) / 8] &= ~(1 << (cpu) % 8))))
#define CPU_ISSET(cpu, set) ((unsigned)(cpu) < CPU_SETSIZE && ((set)->bits[(cpu) / 8] >> (cpu) % 8 & 1))
#define CPU_COUNT(set) __cpu_count(set)
#define CPU_EQUAL(a, b) (memcmp((a), (b), sizeof(cpu_set_t)) == 0)

int sched_getcpu(void);
int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set);
int sched_setaffinity(pid_t pid, size_t bytes, const cpu_set_t *set);
int sched_get_priority_max(int policy);
int sched_get_priority_min(int policy);
int sched_getscheduler(pid_t pid);
int sched_setscheduler(pid_t pid, int policy, const struct sched_param *parameters);
int sched_getparam(pid_t pid, struct sched_param *parameters);
int sched_setparam(pid_t pid, const struct sched_param *parameters);

#ifdef __cplusplus
}
#endif

#endif
