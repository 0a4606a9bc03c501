/* The published cluster experiment: fork() five times in a row makes 32 processes, and each computes Fibonacci numbers by
   recursion from seeds of its own. Every process does the same amount of work, so a perfect cluster divides the time by its size.

     fork-fibonacci [n] [forks]        n 0..60 (default 41), forks 0..8 (default 5)

   One pipe, made before the first fork, carries one record per process to the first process, which sorts them: the output is
   the same whatever the order in which the processes ran, and on whichever hosts. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_FORKS = 8, MAX_PROCESSES = 1 << MAX_FORKS };

/* What one process found; small enough that one write() to a pipe is never split. */
struct record {
  int id;
  int n;
  unsigned seeds[2];
  unsigned long long result; /* modulo 2^64 */
};

/* The n-th number of the sequence that starts with a, b. Recursive on purpose: the work is the tree of calls. */
__attribute__((noinline)) static unsigned long long fib(int n, unsigned a, unsigned b) {
  if (n == 0) return a;
  if (n == 1) return b;
  return fib(n - 1, a, b) + fib(n - 2, a, b);
}

/* A whole number from low to high; ends the program with a message when it is none. */
static int argument(const char *text, const char *name, int low, int high) {
  char *end;
  long value = strtol(text, &end, 10);
  if (end == text || *end != '\0' || value < low || value > high) {
    fprintf(stderr, "fork-fibonacci: %s must be a whole number from %d to %d, not '%s'\n", name, low, high, text);
    exit(2);
  }
  return (int)value;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Waits for every child of this process; returns how many of them did not end well. */
static int failed_children(int children) {
  int failed = 0;
  for (int at = 0; at < children; at++) {
    int status;
    if (wait(&status) < 0) fail("wait");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) failed++;
  }
  return failed;
}

static int by_id(const void *left, const void *right) {
  return ((const struct record *)left)->id - ((const struct record *)right)->id;
}

/* Reads until every writer has closed its end. Returns the number of records. */
static int read_records(int from, struct record *records) {
  size_t bytes = 0;
  const size_t room = sizeof(struct record) * MAX_PROCESSES;
  while (bytes < room) {
    ssize_t got = read(from, (char *)records + bytes, room - bytes);
    if (got < 0) fail("read");
    if (got == 0) break;
    bytes += (size_t)got;
  }
  return (int)(bytes / sizeof(struct record));
}

int main(int argc, char **argv) {
  const int n = argc > 1 ? argument(argv[1], "n", 0, 60) : 41;
  const int forks = argc > 2 ? argument(argv[2], "forks", 0, MAX_FORKS) : 5;
  const int processes = 1 << forks;
  int ends[2];
  if (pipe(ends) < 0) fail("pipe");

  /* Each fork doubles the processes and gives each a further bit of its id. */
  int id = 0, children = 0;
  for (int bit = 0; bit < forks; bit++) {
    pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
      id |= 1 << bit;
      children = 0;
    } else {
      children++;
    }
  }

  struct record mine = {.id = id, .n = n, .seeds = {(unsigned)id + 1, (unsigned)id * 2 + 1}};
  if (id != 0) close(ends[0]);
  mine.result = fib(n, mine.seeds[0], mine.seeds[1]);
  if (write(ends[1], &mine, sizeof mine) != (ssize_t)sizeof mine) fail("write");
  close(ends[1]);

  if (id != 0) {
    const int failed = failed_children(children);
    if (failed > 0) fprintf(stderr, "fork-fibonacci: process %d: %d of its children failed\n", id, failed);
    _exit(failed > 0 ? 1 : 0);
  }

  /* The first process: reading first and waiting after, so that no writer waits for a full pipe. */
  static struct record records[MAX_PROCESSES];
  const int arrived = read_records(ends[0], records);
  close(ends[0]);
  const int failed = failed_children(children);
  qsort(records, (size_t)arrived, sizeof records[0], by_id);
  for (int at = 0; at < arrived; at++) {
    const struct record *record = &records[at];
    printf("process %02d seeds %u %u fib(%d) = %llu\n", record->id, record->seeds[0], record->seeds[1], record->n, record->result);
  }
  if (failed > 0 || arrived != processes) {
    fprintf(stderr, "fork-fibonacci: %d of %d processes answered, %d children failed\n", arrived, processes, failed);
    return 1;
  }
  return 0;
}
