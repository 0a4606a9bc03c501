/* <ucontext.h>: the types, for handlers that take them. A process's registers are nowhere to be seen, so nothing fills or follows one. */
#ifndef NIGHTSHIFT_UCONTEXT_H
#define NIGHTSHIFT_UCONTEXT_H

#include <signal.h>
#include <stddef.h>

typedef struct {
  void *ss_sp;
  int ss_flags;
  size_t ss_size;
} stack_t;

typedef struct {
  int unused;
} mcontext_t;

typedef struct ucontext_t {
  unsigned long uc_flags;
  struct ucontext_t *uc_link;
  stack_t uc_stack;
  sigset_t uc_sigmask;
  mcontext_t uc_mcontext;
} ucontext_t;

#endif
