/* A parent stops its computing child, continues it when its own standard input ends, and waits for it. */
#include <signal.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  const pid_t child = fork();
  if (child == 0) {
    for (volatile unsigned at = 0; at < 200000000u; at++) continue;
    _exit(5);
  }
  kill(child, SIGSTOP);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  kill(child, SIGCONT);
  int status = 0;
  waitpid(child, &status, 0);
  printf("continued, computed, exit code %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  return 0;
}
