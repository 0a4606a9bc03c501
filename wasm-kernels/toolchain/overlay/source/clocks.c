/* The clocks of WASI that wasi-libc leaves out (time.h), as its clock_gettime passes the number on; and clock(), which tells how long the
   process has computed: wasi-libc's tells the time that passes. times() calls it by the other name.
   The time zone is UTC, whatever TZ says: a process means the same time on every host. */
#include <time.h>

struct __clockid {
  unsigned number;
};

const struct __clockid nightshift_process_clock = {2};
const struct __clockid nightshift_thread_clock = {3};

clock_t __clock(void) {
  struct timespec used;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return -1;
  return used.tv_sec * CLOCKS_PER_SEC + used.tv_nsec / (1000000000 / CLOCKS_PER_SEC);
}

clock_t clock(void) { return __clock(); }

/* Weak, as older programs have variables of these names. */
__attribute__((weak)) char *tzname[2] = {"UTC", "UTC"};
__attribute__((weak)) long timezone;
__attribute__((weak)) int daylight;
__attribute__((weak)) void tzset(void) {}
