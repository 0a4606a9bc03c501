import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { instrument } from "../instrument/index.ts";
import { Program, runLocally } from "../process/index.ts";
import { compile } from "./index.ts";
import { importsOf, runPlain, scratch, sharedCacheDir } from "./testing.ts";

const cacheDir = sharedCacheDir;
const THREADS = readFileSync(new URL("./test-programs/threads.c", import.meta.url), "utf8");
const MAPS = readFileSync(new URL("./test-programs/maps.c", import.meta.url), "utf8");
const ORDINARY = readFileSync(new URL("./test-programs/ordinary.c", import.meta.url), "utf8");

function build(
  text: string,
  name = "main.c",
  extraArgs: readonly string[] = [],
): Promise<{ wasm: Uint8Array; diagnostics: string }> {
  return compile({ sources: [join(scratch({ [name]: text }), name)], extraArgs, cacheDir });
}

/** Every function the overlay promises, used as POSIX sources do. Valid as C and as C++. */
const POSIX = `
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static void handler(int number) { (void)number; }
int main(void) {
  int ends[2], status = 0;
  struct timespec pause = {0, 1000};
  if (pipe(ends) < 0 || dup(ends[0]) < 0 || dup2(ends[1], 1) < 0) return 1;
  pid_t pid = fork();
  if (pid == 0) { sleep(1); usleep(5); nanosleep(&pause, NULL); sched_yield(); _exit(getppid() != getpid()); }
  if (signal(SIGUSR1, handler) == SIG_ERR || raise(SIGUSR1) != 0 || kill(pid, SIGKILL) != 0) return 2;
  while (waitpid(pid, &status, WNOHANG) == 0) sched_yield();
  if (wait(NULL) == -1 && errno == ECHILD) return 3;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 4;
}
`;

describe("POSIX sources", () => {
  const ways: [string, string, string[]][] = [
    ["C as it is", "main.c", []],
    ["strict C99", "main.c", ["-std=c99"]],
    ["C99 with _POSIX_C_SOURCE", "main.c", ["-std=c99", "-D_POSIX_C_SOURCE=200809L"]],
    ["C with _GNU_SOURCE", "main.c", ["-D_GNU_SOURCE"]],
    ["C++", "main.cpp", []],
    ["strict C++11 with _XOPEN_SOURCE", "main.cpp", ["-std=c++11", "-D_XOPEN_SOURCE=700"]],
  ];
  test.each(ways)("compile unchanged as %s and import only WASI and Nightshift", async (_way, name, extraArgs) => {
    const { wasm, diagnostics } = await build(POSIX, name, [...extraArgs, "-Wall", "-Wextra", "-Werror"]);
    expect(diagnostics).toBe("");
    const imports = importsOf(wasm);
    const nightshift = imports.filter((name) => !name.startsWith("wasi_snapshot_preview1."));
    expect(nightshift).toEqual(["dup", "fork", "getpid", "getppid", "kill", "pipe", "wait"].map((name) => `nightshift.${name}`));
    expect(imports).toContain("wasi_snapshot_preview1.poll_oneoff");
    expect(imports).toContain("wasi_snapshot_preview1.sched_yield");
  });

  test("only what is called is imported, and a program's own function of the same name wins", async () => {
    const { wasm } = await build(
      '#include <stdio.h>\nint wait(int n) { return n + 1; }\nint kill(int a, int b) { return a * b; }\nint main(void) { printf("%d %d\\n", wait(1), kill(2, 3)); return 0; }',
    );
    expect(importsOf(wasm).filter((name) => name.startsWith("nightshift"))).toEqual([]);
    expect((await runPlain(wasm)).stdout).toBe("2 6\n");
  });

  test("fork returns in place: the variables around it are ordinary, and errors of the host become errno", async () => {
    const { wasm } = await build(`
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int before = argc * 7, ends[2] = {0, 0}, status = 0;
  (void)argv;
  pid_t first = fork(), second = fork();
  printf("%d %d %d %d\\n", before, first, second, second < 0 && errno == EAGAIN);
  pid_t waited = waitpid(-1, &status, WNOHANG);
  printf("%d %d %d %d\\n", waited, WIFEXITED(status), WEXITSTATUS(status), WIFSIGNALED(status));
  printf("%d %d\\n", wait(NULL), errno == ECHILD);
  printf("%d %d %d\\n", pipe(ends), ends[0], ends[1]);
  printf("%d %d %d %d\\n", dup(5), dup2(5, 9), dup2(5, -1), errno == EBADF);
  return 0;
}`);
    const pids = [101, -6]; // WASI's EAGAIN is 6, ECHILD 12
    const statuses: [number, number, number][] = [];
    const host = {
      fork: () => pids.shift() ?? -6,
      wait: (target = 0, options = 0, status = 0) => {
        statuses.push([target, options, status === 0 ? 0 : 1]);
        return statuses.length === 1 ? 101 : -12;
      },
      pipe: () => 0,
      dup: (descriptor = 0, target = 0) => (target === -1 ? descriptor + 1 : target),
    };
    const { stdout } = await runPlain(wasm, [], host);
    expect(stdout.split("\n")).toEqual(["7 101 -1 1", "101 1 0 0", "-1 1", "0 0 0", "6 9 -1 1", ""]);
    expect(statuses).toEqual([
      [-1, 1, 1],
      [-1, 0, 0],
    ]);
  });
});

describe("fcntl", () => {
  test("record locks are granted, copies are made, and who only opens files asks the host for nothing", async () => {
    const { wasm } = await build(`
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
int main(void) {
  struct flock lock = {.l_type = F_WRLCK};
  printf("%d %d %d\\n", fcntl(1, F_SETLK, &lock), fcntl(1, F_GETLK, &lock), lock.l_type == F_UNLCK);
  lock.l_type = 77;
  printf("%d %d\\n", fcntl(1, F_SETLKW, &lock), errno == EINVAL);
  lock.l_type = F_RDLCK;
  printf("%d %d\\n", fcntl(99, F_SETLK, &lock), errno == EBADF);
  printf("%d %d\\n", fcntl(1, F_DUPFD, 6), fcntl(1, F_DUPFD_CLOEXEC, 0));
  printf("%d %d\\n", fcntl(1, F_DUPFD, -1), errno == EINVAL);
  printf("%d %d\\n", fcntl(1, 4242), errno == EINVAL);
  return 0;
}`);
    let next = 3;
    const { stdout } = await runPlain(wasm, [], { dup: () => next++ });
    expect(stdout).toBe("0 0 1\n-1 1\n-1 1\n6 7\n-1 1\n-1 1\n");
    const opens = await build(
      '#include <stdio.h>\nint main(void) { FILE *f = fopen("a", "a+"); return f ? fprintf(f, "%d", fclose(stdin)) : 1; }',
    );
    expect(importsOf(opens.wasm).filter((name) => name.startsWith("nightshift"))).toEqual([]);
  });
});

test("clock() and times() tell processor time, not the time that passes", async () => {
  const { wasm } = await build(`
#include <stdio.h>
#include <sys/times.h>
#include <time.h>
int main(void) { struct tms used; times(&used); printf("%lld %lld", (long long)clock() / 1000000, (long long)used.tms_utime / 1000000); }`);
  let seconds = 0;
  const program = new Program("clock", instrument(new Uint8Array(wasm)).wasm);
  const { stdout } = runLocally({ program, args: ["clock"], clock: "host", cpuNow: () => ++seconds * 1000, now: () => 9e12 });
  const told = Buffer.from(stdout).toString();
  expect(told).toMatch(/^[1-9]\d*000 [1-9]\d*000$/);
});

describe("signals within a process", () => {
  const text = `
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static int seen;
static void handler(int number) { seen += number; }
static void detailed(int number, siginfo_t *information, void *context) { seen += 1000 * (information->si_signo == number && information->si_code == SI_USER && !information->si_addr && !context); }
const char *const reasons[] = {[FPE_INTDIV] = "division by zero", [FPE_FLTSUB] = "subscript", [SEGV_MAPERR + 8] = "address", [ILL_BADSTK + 8] = "stack", [BUS_OBJERR + 32] = "object"};
int main(void) {
  sigset_t set;
  signal(SIGUSR1, handler);
  raise(SIGUSR1), kill(getpid(), SIGUSR1);
  printf("%d\\n", seen);
  struct sigaction action = {0};
  action.sa_sigaction = detailed, action.sa_flags = SA_SIGINFO;
  printf("%d\\n", sigaction(SIGUSR2, &action, NULL));
  raise(SIGUSR2);
  printf("%d %d\\n", seen, signal(SIGUSR1, SIG_IGN) == handler);
  raise(SIGUSR1), raise(SIGCHLD);
  printf("%d %d\\n", seen, signal(SIGKILL, handler) == SIG_ERR && errno == EINVAL);
  sigemptyset(&set), sigaddset(&set, SIGTERM), sigaddset(&set, SIGSYS);
  printf("%d %d %d\\n", sigismember(&set, SIGTERM), sigismember(&set, SIGSYS), sigismember(&set, SIGINT));
  raise(SIGTERM);
  kill(77, SIGINT);
  return 0;
}`;
  test("handlers run for raised signals; the rest is the host's affair", async () => {
    const sent: number[][] = [];
    const { wasm } = await build(text);
    const kill = (target = 0, number = 0) => sent.push([target, number]) * 0;
    const { stdout } = await runPlain(wasm, [], { kill, getpid: () => 7 });
    expect(stdout.split("\n")).toEqual(["20", "0", "1020 1", "1020 1", "1 1 0", ""]);
    expect(sent).toEqual([
      [7, 15],
      [77, 2],
    ]);
  });

  test("abort traps", async () => {
    const { wasm } = await build("#include <stdlib.h>\nint main(void) { abort(); }");
    await expect(runPlain(wasm)).rejects.toThrow(WebAssembly.RuntimeError);
  });
});

test("what would start another program compiles and fails with ENOSYS", async () => {
  const { wasm } = await build(
    `
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void say(long result) { printf("%ld%s ", result, errno == ENOSYS ? "!" : ""); errno = 0; }
int main(void) {
  char *const none[] = {NULL};
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  sigset_t mask;
  sigemptyset(&mask);
  if (posix_spawnattr_init(&attributes) || posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK)) return 1;
  if (posix_spawnattr_setsigmask(&attributes, &mask) || posix_spawnattr_setsigdefault(&attributes, &mask)) return 2;
  if (posix_spawnattr_setpgroup(&attributes, 0) || posix_spawn_file_actions_init(&actions)) return 3;
  say(vfork()), say(execl("a", "a", (char *)NULL)), say(execvp("a", none)), say(execve("a", none, none));
  say(system("true")), say(system(NULL)), say(popen("true", "r") == NULL), say(posix_spawn(NULL, "a", NULL, NULL, none, none) == ENOSYS);
  printf("%d", posix_spawnp(NULL, "a", &actions, &attributes, none, none) == ENOSYS);
  return 0;
}`,
    "main.c",
    ["-std=gnu17"],
  );
  expect((await runPlain(wasm)).stdout).toBe("-1! -1! -1! -1! -1! 0 1! 1 1");
  expect(importsOf(wasm).filter((name) => name.startsWith("nightshift"))).toEqual([]);
});

test("sleep takes real time through WASI and clock() works", async () => {
  const { wasm } = await build(
    '#include <stdio.h>\n#include <time.h>\n#include <unistd.h>\nint main(void) { clock_t a = clock(); int r = usleep(30000); printf("%d %d %u\\n", r, clock() >= a, sleep(0)); return 0; }',
  );
  const started = performance.now();
  expect((await runPlain(wasm)).stdout).toBe("0 1 0\n");
  expect(performance.now() - started).toBeGreaterThan(29);
});

describe("threads, of which a process has one", () => {
  test.each([
    ["C", "threads.c", []],
    ["C89", "threads.c", ["-std=gnu89"]],
    ["C++", "threads.cpp", []],
  ] as const)(
    "what needs no other works, what would start another says that it cannot, in %s",
    async (_language, name, flags) => {
      const { wasm, diagnostics } = await build(THREADS, name, ["-Wall", "-Wextra", "-Werror", ...flags]);
      expect(diagnostics).toBe("");
      const host = { getpid: () => 5, kill: () => 0 };
      expect(await runPlain(wasm, [], host)).toEqual({ exitCode: 0, stdout: "35 hold\n", stderr: "" });
    },
  );

  test.each(["pthread_cond_wait", "sem_wait", "pthread_barrier_wait"])("who waits for ever by %s is told so", async (how) => {
    const { wasm } = await build(THREADS, "threads.c", [`-DFOR_EVER="${how}"`]);
    await expect(runPlain(wasm, [], { getpid: () => 5, kill: () => 0 })).rejects.toMatchObject({
      stderr: `${how}: nobody can end this wait, as a program has one thread here (pthread_create answers ENOTSUP)\n`,
    });
  });
});

describe("what GCC's library brings along", () => {
  const headers: [header: string, use: string][] = [
    ["stdexcept", 'std::string text("four"); return text.size() != 4;'],
    ["iterator", 'std::string text("four"); return std::max<int>(text.size(), 4) != 4;'],
    ["iomanip", "std::stringstream stream; stream << std::setw(3) << 7; return stream.str().size() != 3;"],
    ["regex", "std::map<int, int> map; std::stack<int> stack; int two[] = {2, 1}; std::sort(two, two + 2); return *two != 1;"],
    ["cmath", "void *some = malloc(4); free(some); return std::max(1, 2) != 2 || abs(-1) != 1;"],
    ["algorithm", "return std::__gcd(12, 18) != 6 || std::__lg(1000) != 9;"],
  ];
  test.each(headers)("comes with <%s>, in every version of C++", async (header, use) => {
    const text = `#include <${header}>\nint main() { ${use} }`;
    // <regex> was not there before C++11.
    for (const standard of [header === "regex" ? "c++11" : "c++98", "c++17", "c++23"])
      expect((await runPlain((await build(text, "main.cpp", [`-std=${standard}`])).wasm)).exitCode).toBe(0);
  });

  test("is all there with <bits/stdc++.h>", async () => {
    const text = `#include <bits/stdc++.h>
using namespace std;
int main() {
  vector<int> numbers{12, 18};
  unordered_map<string, int> places{{"a", __gcd(numbers[0], numbers[1])}};
  stringstream stream;
  stream << places["a"] << ' ' << INT_MAX << ' ' << M_PI << ' ' << __lg(1000);
  puts(stream.str().c_str());
}`;
    for (const standard of ["c++11", "c++20"]) {
      const { wasm } = await build(text, "main.cpp", [`-std=${standard}`]);
      expect((await runPlain(wasm)).stdout).toBe("6 2147483647 3.14159 9\n");
    }
  });
});

test("a recursive mutex is taken as often as one wants, and another one only once", async () => {
  const text = `
#include <cstdio>
#include <mutex>
int main() {
  std::recursive_mutex again;
  std::mutex once;
  again.lock();
  again.lock();
  std::printf("%d ", again.try_lock());
  for (int left = 3; left > 0; left--) again.unlock();
  once.lock();
  std::printf("%d\\n", once.try_lock());
}`;
  expect((await runPlain((await build(text, "main.cpp")).wasm)).stdout).toBe("1 0\n");
});

test("threads.h has locks and values of the one thread, and starts no other; messages stay as they are, call stacks are empty", async () => {
  const text = `
#include <execinfo.h>
#include <libintl.h>
#include <stdio.h>
#include <threads.h>
static int begin(void *given) { return given != NULL; }
static void once(void) { printf("once "); }
int main(void) {
  thrd_t thread;
  mtx_t mutex;
  tss_t key;
  once_flag flag = ONCE_FLAG_INIT;
  void *frames[4];
  call_once(&flag, once);
  call_once(&flag, once);
  printf("%d ", thrd_create(&thread, begin, NULL) == thrd_error);
  printf("%d %d %d ", mtx_init(&mutex, mtx_recursive), mtx_lock(&mutex), mtx_trylock(&mutex));
  printf("%d %d ", mtx_unlock(&mutex), mtx_unlock(&mutex));
  printf("%d %d ", tss_create(&key, NULL), tss_set(key, &mutex));
  printf("%d %d ", tss_get(key) == &mutex, thrd_equal(thrd_current(), thrd_current()));
  printf("%s %s %d\\n", gettext("word"), ngettext("one", "more", 2), backtrace(frames, 4));
  return 0;
}`;
  for (const name of ["main.c", "main.cpp"]) {
    const { wasm, diagnostics } = await build(text, name, ["-Wall", "-Werror"]);
    expect(diagnostics).toBe("");
    expect((await runPlain(wasm)).stdout).toBe("once 1 0 0 0 0 0 0 0 1 1 word more 0\n");
  }
});

test("headers of x86's instructions say what else there is", async () => {
  const building = build("#include <immintrin.h>\nint main(void) { return 0; }");
  await expect(building).rejects.toThrow(
    '"<immintrin.h> has instructions of x86 processors (AVX), and a program here runs on any',
  );
});

test("clocks have their other names, the time zone is UTC, and no interval timer can be set", async () => {
  const text = `
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static int downwards(const void *a, const void *b, void *calls) { return ++*(int *)calls, *(const int *)b - *(const int *)a; }
int main(void) {
  struct timespec now;
  struct itimerval timer = {{0, 0}, {1, 0}};
  time_t zero = 0;
  int numbers[] = {5, 2, 9}, calls = 0;
  tzset();
  printf("%d", clock_gettime(CLOCK_MONOTONIC_RAW, &now) || clock_gettime(CLOCK_BOOTTIME, &now) || clock_gettime(CLOCK_REALTIME_COARSE, &now));
  printf(" %s %ld %d %d", tzname[0], timezone, daylight, localtime(&zero)->tm_hour);
  printf(" %d", setitimer(ITIMER_REAL, &timer, NULL) == -1 && errno == ENOSYS);
  qsort_r(numbers, 3, sizeof *numbers, downwards, &calls);
  printf(" %d %d\\n", numbers[0], calls > 0);
  return 0;
}`;
  for (const name of ["main.c", "main.cpp"]) {
    const { wasm, diagnostics } = await build(text, name, ["-Wall", "-Werror", "-Wno-macro-redefined"]);
    expect(diagnostics).toBe("");
    expect((await runPlain(wasm)).stdout).toBe("0 UTC 0 0 0 1 9 1\n");
  }
});

describe("waiting for a signal", () => {
  const WAITING = `
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int ended;
static void on_child(int number) { ended += number == SIGCHLD; }
int main(int count, char **names) {
  sigset_t mask, pending;
  int status, sum = 0;
  pid_t children[2];
  sigemptyset(&mask);
  (void)names;
  if (count == 1) signal(SIGCHLD, on_child);
  if (killpg(0, 0) || siginterrupt(SIGCHLD, 1) || sigpending(&pending) || pending) return 1;
  for (int at = 0; at < 2; at++) {
    children[at] = fork();
    if (children[at] == 0) _exit(3 + at);
  }
  while (ended < 2)
    if ((ended ? pause() : sigsuspend(&mask)) != -1 || errno != EINTR) return 2;
  pid_t grandchild = fork();
  if (grandchild == 0) _exit(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD ? 5 : 6);
  if (waitpid(grandchild, &status, 0) != grandchild) return 3;
  sum += WEXITSTATUS(status);
  for (int at = 1; at >= 0; at--) sum = sum * 10 + (waitpid(children[at], &status, 0) == children[at] ? WEXITSTATUS(status) : 0);
  printf("%d %d\\n", sum, wait(NULL) == -1 && errno == ECHILD);
  return 0;
}`;
  test("ends with a child, which can still be waited for", async () => {
    const { wasm } = await build(WAITING, "main.c", ["-Wall", "-Wextra", "-Werror"]);
    const program = new Program("waiting", instrument(new Uint8Array(wasm)).wasm);
    expect(Buffer.from(runLocally({ program, args: ["waiting"], cpuNow: () => 0, now: () => 0 }).stdout).toString()).toBe(
      "543 1\n",
    );
  });
  test("that never comes is said, and ends the program", async () => {
    const { wasm } = await build("#include <unistd.h>\nint main(void) { return pause(); }");
    await expect(runPlain(wasm, [], { getpid: () => 5, kill: () => 0, wait: () => -12 })).rejects.toMatchObject({
      stderr: "pause: no signal can end this wait, as only SIGCHLD comes here, to a handler and when there is a child\n",
    });
  });
});

describe("what ordinary programs call beside", () => {
  test.each([
    ["C", "ordinary.c"],
    ["C++", "ordinary.cpp"],
  ])("works or says that it cannot, in %s", async (_language, name) => {
    const { wasm, diagnostics } = await build(ORDINARY, name, ["-Wall", "-Wextra", "-Werror"]);
    expect(diagnostics).toBe("");
    const { exitCode, stdout, stderr } = await runPlain(wasm, [], { getpid: () => 5 });
    expect(stdout).toBe("59 hold\n");
    expect(stderr.split("\n")).toEqual([
      "alarm: SIGALRM does not come here; what waits for it, waits for ever",
      "program: cannot open a.txt: No such file or directory",
      "program: plain 1",
      "program: error 2: Permission denied",
      "program: error 3",
      "program: shown here",
      "program: ended by err: Invalid argument",
      "",
    ]);
    expect(exitCode).toBe(7);
  });
});

describe("memory maps", () => {
  test.each([
    ["C", "maps.c", []],
    ["strict C99", "maps.c", ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-D_DEFAULT_SOURCE"]],
    ["C++", "maps.cpp", []],
  ] as const)(
    "are memory of their own, may be cut, replaced and grown, and shared ones of files are written, in %s",
    async (_l, name, flags) => {
      const { wasm, diagnostics } = await build(MAPS, name, ["-Wall", "-Wextra", "-Werror", ...flags]);
      expect(diagnostics).toBe("");
      const program = new Program("maps", instrument(new Uint8Array(wasm)).wasm);
      const { stdout, files } = runLocally({ program, args: ["maps"], cpuNow: () => 0, now: () => 0 });
      expect(Buffer.from(stdout).toString()).toBe("45 hold\n");
      const mapped = Buffer.from(files.get("mapped") ?? []);
      expect([mapped.length, mapped.toString("latin1", 8192, 8196)]).toEqual([8202, "zeaa"]);
    },
  );
});
