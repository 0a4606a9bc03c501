/* setjmp and longjmp as C and C++ programs use them. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf place, other, many[10];
static sigjmp_buf signal_place;

__attribute__((noinline)) static void jump(jmp_buf to, int value) { longjmp(to, value); }

__attribute__((noinline)) static int deep(int depth, int value) {
  char frame[64];
  memset(frame, depth, sizeof frame);
  if (depth == 0) jump(place, value);
  return depth < 0 ? 0 : deep(depth - 1, value) + frame[3];
}

static void values(void) {
  const int given[] = {1, 0, -5, 2147483647};
  for (int at = 0; at < 4; at++) {
    int result = setjmp(place);
    if (result == 0) deep(at * 300, given[at]);
    printf("value %d\n", result);
  }
}

static void loop(void) {
  volatile int turns = 0;
  int fixed = rand() % 1 + 17;
  if (setjmp(place) < 5) longjmp(place, ++turns);
  printf("loop %d %d\n", turns, fixed);
}

static void nested(void) {
  volatile int path = 0;
  if (setjmp(place) == 0) {
    path = path * 10 + 1;
    if (setjmp(other) == 0) {
      path = path * 10 + 2;
      jump(other, 1);
    } else {
      path = path * 10 + 3;
      jump(place, 1);
    }
  } else {
    path = path * 10 + 4;
  }
  printf("nested %d\n", path);
}

static void several(int level) {
  int result = setjmp(many[level]);
  if (result != 0) {
    printf("level %d result %d\n", level, result);
    if (level > 0) longjmp(many[level - 1], level);
  } else if (level < 9) {
    several(level + 1);
  } else {
    jump(many[6], 77);
  }
}

enum { NUMBER_MISSING = 3, PAREN_MISSING };
static const char *text;

static long expression(void);
static long factor(void) {
  if (*text == '(') {
    text++;
    long inner = expression();
    if (*text++ != ')') jump(place, PAREN_MISSING);
    return inner;
  }
  if (*text < '0' || *text > '9') jump(place, NUMBER_MISSING);
  return strtol(text, (char **)&text, 10);
}
static long expression(void) {
  long sum = factor();
  while (*text == '+') text++, sum += factor();
  return sum;
}

static void parser(void) {
  const char *const cases[] = {"1+2", "(1+(2+3))+4", "(1+", "(1+2", "x"};
  for (volatile int at = 0; at < 5; at++) {
    text = cases[at];
    switch (setjmp(place)) {
    case 0: printf("%s = %ld\n", cases[at], expression()); break;
    case NUMBER_MISSING: printf("%s: a number is missing\n", cases[at]); break;
    case PAREN_MISSING: printf("%s: a parenthesis is missing\n", cases[at]); break;
    default: puts("?");
    }
  }
}

static void by_signal_names(void) {
  int result = sigsetjmp(signal_place, 1);
  if (result == 0) siglongjmp(signal_place, 6);
  printf("sigsetjmp %d\n", result);
  result = _setjmp(place);
  if (result == 0) _longjmp(place, 8);
  printf("_setjmp %d\n", result);
}

int main(void) {
  values();
  loop();
  nested();
  several(0);
  parser();
  by_signal_names();
  long count = 0;
  for (volatile int turn = 0; turn < 20000; turn++) {
    if (setjmp(place) == 0) jump(place, 1);
    else count++;
  }
  printf("many %ld\n", count);
  return 0;
}
