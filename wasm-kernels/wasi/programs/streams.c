/* What is no file: standard streams, clocks, waiting, random bytes, preopened names, and sockets, of which there are none. */
#include "check.h"

static __wasi_timestamp_t now_by(__wasi_clockid_t clock) {
  __wasi_timestamp_t now = 0;
  return __wasi_clock_time_get(clock, 1, &now) ? 0 : now;
}

static void clocks(void) {
  __wasi_timestamp_t resolution = 0, time;
  for (uint32_t id = 0; id < 4; id++) {
    DOES(__wasi_clock_res_get((__wasi_clockid_t){id}, &resolution)), SAME(resolution > 0, 1);
    DOES(__wasi_clock_time_get((__wasi_clockid_t){id}, 0, &time));
  }
  GIVES(__wasi_clock_res_get((__wasi_clockid_t){9}, &resolution), E(INVAL)), GIVES(__wasi_clock_time_get((__wasi_clockid_t){9}, 0, &time), E(INVAL));
  const __wasi_timestamp_t first = now_by(__WASI_CLOCKID_MONOTONIC);
  SAME(first <= now_by(__WASI_CLOCKID_MONOTONIC), 1), SAME(now_by(__WASI_CLOCKID_REALTIME) > 1500000000000000000ull, 1);
}

static __wasi_event_t events[8];
static __wasi_size_t happened;

static __wasi_subscription_t clock_of(uint64_t userdata, __wasi_timestamp_t timeout) {
  __wasi_subscription_t wish = {.userdata = userdata, .u = {.tag = __WASI_EVENTTYPE_CLOCK}};
  wish.u.u.clock.id = __WASI_CLOCKID_MONOTONIC, wish.u.u.clock.timeout = timeout;
  return wish;
}

static __wasi_subscription_t of_fd(uint64_t userdata, int type, __wasi_fd_t number) {
  __wasi_subscription_t wish = {.userdata = userdata, .u = {.tag = (uint8_t)type}};
  if (type == __WASI_EVENTTYPE_FD_READ) wish.u.u.fd_read.file_descriptor = number;
  else wish.u.u.fd_write.file_descriptor = number;
  return wish;
}

static int polls(const __wasi_subscription_t *wishes, size_t count) { return __wasi_poll_oneoff(wishes, events, count, &happened); }

static void waiting(void) {
  GIVES(polls(NULL, 0), E(INVAL));
  const __wasi_timestamp_t before = now_by(__WASI_CLOCKID_MONOTONIC);
  const __wasi_subscription_t times[] = {clock_of(11, 3000000), clock_of(12, 900000000000)};
  DOES(polls(times, 2)), SAME(happened, 1), SAME(events[0].userdata, 11), SAME(events[0].error, 0), SAME(events[0].type, __WASI_EVENTTYPE_CLOCK);
  SAME(now_by(__WASI_CLOCKID_MONOTONIC) - before >= 3000000, 1);
  const __wasi_subscription_t output[] = {of_fd(21, __WASI_EVENTTYPE_FD_WRITE, 1), of_fd(22, __WASI_EVENTTYPE_FD_WRITE, 2), clock_of(23, 200000000)};
  DOES(polls(output, 3)), SAME(happened, 2), SAME(events[0].userdata + events[1].userdata, 43), SAME(events[0].error | events[1].error, 0);
  const __wasi_subscription_t input[] = {clock_of(31, 200000000), of_fd(32, __WASI_EVENTTYPE_FD_READ, 0)};
  DOES(polls(input, 2)), SAME(happened >= 1, 1);
  const __wasi_subscription_t closed[] = {of_fd(41, __WASI_EVENTTYPE_FD_READ, 99)};
  DOES(polls(closed, 1)), SAME(happened, 1), SAME(events[0].error, E(BADF)), SAME(events[0].userdata, 41);
}

static void standard_streams(void) {
  __wasi_fdstat_t state;
  DOES(__wasi_fd_fdstat_get(0, &state)), DOES(__wasi_fd_fdstat_get(1, &state)), DOES(__wasi_fd_fdstat_get(2, &state));
  DOES(writes(2, "to stderr\n")), DOES(writes(1, ""));
  GIVES(writes(0, "x"), E(NOTCAPABLE), E(BADF)), GIVES(reads(1), E(NOTCAPABLE), E(BADF));
  GIVES(writes(77, "x"), E(BADF)), GIVES(writes((__wasi_fd_t)-31337, "x"), E(BADF)), GIVES(reads(77), E(BADF));
  GIVES(__wasi_sock_shutdown(99, __WASI_SDFLAGS_RD), E(BADF)), GIVES(__wasi_sock_shutdown(1, __WASI_SDFLAGS_RD), E(NOTSOCK));
}

static void random_bytes(void) {
  static uint8_t bytes[20000], zeros[20000];
  DOES(__wasi_random_get(bytes, 0)), DOES(__wasi_random_get(bytes, sizeof bytes)), SAME(memcmp(bytes, zeros, sizeof bytes) != 0, 1);
  SAME(memcmp(bytes, bytes + 10000, 10000) != 0, 1);
}

static void preopened(void) {
  __wasi_prestat_t prestat;
  uint8_t name[64];
  DOES(__wasi_fd_prestat_get(ROOT, &prestat)), SAME(prestat.tag, __WASI_PREOPENTYPE_DIR), SAME(prestat.u.dir.pr_name_len, 1);
  DOES(__wasi_fd_prestat_dir_name(ROOT, name, 1)), DOES(__wasi_fd_prestat_dir_name(ROOT, name, sizeof name));
  GIVES(__wasi_fd_prestat_dir_name(ROOT, name, 0), E(NAMETOOLONG), E(INVAL));
  GIVES(__wasi_fd_prestat_get(ROOT + 1, &prestat), E(BADF)), GIVES(__wasi_fd_prestat_get(1, &prestat), E(INVAL), E(BADF));
}

int main(void) {
  clocks();
  waiting();
  standard_streams();
  random_bytes();
  preopened();
  return finish();
}
