/* A small stack machine; each instruction is a function called through a table. Its program computes Collatz sequence lengths.
     dispatch [steps]        instructions to execute, 1..2000000000 (default 50000000) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct machine {
  uint64_t stack[16];
  int top;     /* number of values on the stack */
  int counter; /* next instruction */
  uint64_t start, longest, longest_start, checksum;
};

typedef void instruction(struct machine *machine, int operand);

static void push(struct machine *m, int operand) { m->stack[m->top++] = (uint64_t)operand; }
static void push_start(struct machine *m, int operand) { m->stack[m->top++] = m->start += (uint64_t)operand; }
static void swap(struct machine *m, int operand) {
  const uint64_t value = m->stack[m->top - 1];
  m->stack[m->top - 1] = m->stack[m->top - 1 - operand];
  m->stack[m->top - 1 - operand] = value;
}
static void add(struct machine *m, int operand) { m->stack[m->top - 1] += (uint64_t)operand; }
static void multiply(struct machine *m, int operand) { m->stack[m->top - 1] *= (uint64_t)operand; }
static void shift(struct machine *m, int operand) { m->stack[m->top - 1] >>= operand; }
static void jump(struct machine *m, int operand) { m->counter = operand; }
static void jump_if_odd(struct machine *m, int operand) {
  if (m->stack[m->top - 1] & 1) m->counter = operand;
}
static void jump_if_one(struct machine *m, int operand) {
  if (m->stack[m->top - 1] == 1) m->counter = operand;
}
static void record(struct machine *m, int operand) {
  m->top -= operand;
  const uint64_t length = m->stack[m->top];
  if (length > m->longest) m->longest = length, m->longest_start = m->start;
  m->checksum = m->checksum * 31 + length;
}

struct word {
  instruction *run;
  int operand;
};

/* The stack holds the length so far and, on top, the current number. */
static const struct word program[] = {
    {push, 0},         /* 0: a new sequence of length 0 ... */
    {push_start, 1},   /* 1: ... from the next number */
    {jump_if_one, 11}, /* 2 */
    {swap, 1},         /* 3: one longer */
    {add, 1},          /* 4 */
    {swap, 1},         /* 5 */
    {jump_if_odd, 9},  /* 6 */
    {shift, 1},        /* 7: n / 2 */
    {jump, 2},         /* 8 */
    {multiply, 3},     /* 9: 3 n ... */
    {jump, 13},        /* 10 */
    {record, 2},       /* 11 */
    {jump, 0},         /* 12 */
    {add, 1},          /* 13: ... + 1 */
    {jump, 2},         /* 14 */
};

int main(int argc, char **argv) {
  const long steps = argc > 1 ? atol(argv[1]) : 50000000;
  if (steps < 1 || steps > 2000000000) {
    fprintf(stderr, "dispatch: steps must be from 1 to 2000000000\n");
    return 2;
  }
  struct machine machine = {.top = 0};
  for (long at = 0; at < steps; at++) {
    const struct word *word = &program[machine.counter++];
    word->run(&machine, word->operand);
  }
  printf("%ld steps, %llu sequences, longest %llu from %llu, checksum %016llx\n", steps, (unsigned long long)machine.start,
         (unsigned long long)machine.longest, (unsigned long long)machine.longest_start, (unsigned long long)machine.checksum);
  return 0;
}
