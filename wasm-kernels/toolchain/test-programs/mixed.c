#include "mixed.h"
#include <setjmp.h>

static jmp_buf inner;

int call_through_c(int (*function)(int), int value) { return function(value) + 1; }

static void give_up(int value) { longjmp(inner, value); }

int protected_call(int (*function)(int), int value) {
  int result = setjmp(inner);
  if (result != 0) return -result;
  if (value == 2) give_up(value);
  return function(value);
}
