/* Two children that fail, one by a division, one outside memory; the parent prints the signals it is told and goes on. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int zero;

int main(void) {
  for (int which = 0; which < 2; which++) {
    if (fork() == 0) _exit(which == 0 ? 7 / zero : *(volatile int *)0xfffffff0u);
    int status = 0;
    wait(&status);
    printf("child ended by signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
  }
  return 3;
}
