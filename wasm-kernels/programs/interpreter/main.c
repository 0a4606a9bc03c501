/* A register machine whose loop is one large switch, as language interpreters are: it runs a sieve, a bubble sort and a hash over its own
   memory, written in its own code.
     interpreter [rounds]        1..1000000 (default 20) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum op { SET, MOVE, ADD, SUB, MUL, AND, XOR, SHIFT_LEFT, SHIFT_RIGHT, LOAD, STORE, JUMP, LESS, EQUAL, ZERO, ADD_CONSTANT, HALT };

struct instruction {
  uint8_t op, a, b, c;
  int32_t value;
};

enum { CELLS = 4096, SIEVE = 2000, SORTED = 160 };

/* Register 0 is always 0 here. Jumps name the instruction to go to; LESS, EQUAL and ZERO skip the next instruction unless they hold. */
static const struct instruction program[] = {
    /* the sieve: cells 0 .. SIEVE-1 become 1 where the number is composite */
    {SET, 1, 0, 0, 2},          /* 0: r1 = 2 */
    {SET, 2, 0, 0, SIEVE},      /* 1 */
    {MUL, 3, 1, 1, 0},          /* 2: r3 = r1 * r1 */
    {LESS, 3, 2, 0, 0},         /* 3: while r3 < SIEVE */
    {JUMP, 0, 0, 0, 6},         /* 4 */
    {JUMP, 0, 0, 0, 15},        /* 5 */
    {LOAD, 4, 1, 0, 0},         /* 6: r1 composite? */
    {ZERO, 4, 0, 0, 0},         /* 7 */
    {JUMP, 0, 0, 0, 10},        /* 8 */
    {JUMP, 0, 0, 0, 13},        /* 9 */
    {SET, 5, 0, 0, 1},          /* 10: cross out r3, r3 + r1 ... */
    {STORE, 3, 5, 0, 0},        /* 11 */
    {JUMP, 0, 0, 0, 46},        /* 12 */
    {ADD_CONSTANT, 1, 1, 0, 1}, /* 13: the next number */
    {JUMP, 0, 0, 0, 2},         /* 14 */
    /* random numbers into cells 2048 .. 2048+SORTED-1 */
    {SET, 1, 0, 0, 2048},          /* 15 */
    {SET, 2, 0, 0, 2048 + SORTED}, /* 16 */
    {SHIFT_LEFT, 7, 6, 0, 13},     /* 17: xorshift in r6 */
    {XOR, 6, 6, 7, 0},             /* 18 */
    {SHIFT_RIGHT, 7, 6, 0, 17},    /* 19 */
    {XOR, 6, 6, 7, 0},             /* 20 */
    {SHIFT_LEFT, 7, 6, 0, 5},      /* 21 */
    {XOR, 6, 6, 7, 0},             /* 22 */
    {STORE, 1, 6, 0, 0},           /* 23 */
    {ADD_CONSTANT, 1, 1, 0, 1},    /* 24 */
    {LESS, 1, 2, 0, 0},            /* 25 */
    {JUMP, 0, 0, 0, 17},           /* 26 */
    /* sort them: r1 the outer, r3 the inner index */
    {SET, 1, 0, 0, 2048 + SORTED - 1}, /* 27 */
    {SET, 3, 0, 0, 2048},              /* 28 */
    {ADD_CONSTANT, 4, 3, 0, 1},        /* 29 */
    {LOAD, 5, 3, 0, 0},                /* 30 */
    {LOAD, 7, 4, 0, 0},                /* 31 */
    {LESS, 7, 5, 0, 0},                /* 32 */
    {JUMP, 0, 0, 0, 50},               /* 33: exchange */
    {ADD_CONSTANT, 3, 3, 0, 1},        /* 34 */
    {LESS, 3, 1, 0, 0},                /* 35 */
    {JUMP, 0, 0, 0, 29},               /* 36 */
    {ADD_CONSTANT, 1, 1, 0, -1},       /* 37 */
    {SET, 8, 0, 0, 2048},              /* 38 */
    {LESS, 8, 1, 0, 0},                /* 39 */
    {JUMP, 0, 0, 0, 28},               /* 40 */
    /* r9: a hash over all cells */
    {SET, 1, 0, 0, 0},     /* 41 */
    {SET, 2, 0, 0, CELLS}, /* 42 */
    {SET, 8, 0, 0, 31},    /* 43 */
    {JUMP, 0, 0, 0, 53},   /* 44 */
    {HALT, 0, 0, 0, 0},    /* 45 */
    /* the sieve's inner loop */
    {ADD, 3, 3, 1, 0},   /* 46 */
    {LESS, 3, 2, 0, 0},  /* 47 */
    {JUMP, 0, 0, 0, 11}, /* 48 */
    {JUMP, 0, 0, 0, 13}, /* 49 */
    /* the sort's exchange */
    {STORE, 3, 7, 0, 0}, /* 50 */
    {STORE, 4, 5, 0, 0}, /* 51 */
    {JUMP, 0, 0, 0, 34}, /* 52 */
    /* the hash's loop */
    {MUL, 9, 9, 8, 0},          /* 53 */
    {LOAD, 4, 1, 0, 0},         /* 54 */
    {ADD, 9, 9, 4, 0},          /* 55 */
    {ADD_CONSTANT, 1, 1, 0, 1}, /* 56 */
    {LESS, 1, 2, 0, 0},         /* 57 */
    {JUMP, 0, 0, 0, 53},        /* 58 */
    {JUMP, 0, 0, 0, 45},        /* 59 */
};

static uint32_t cells[CELLS];

static uint64_t run(uint32_t *r) {
  uint64_t steps = 0;
  for (const struct instruction *at = program;; at++, steps++) {
    switch ((enum op)at->op) {
      case SET: r[at->a] = (uint32_t)at->value; break;
      case MOVE: r[at->a] = r[at->b]; break;
      case ADD: r[at->a] = r[at->b] + r[at->c]; break;
      case SUB: r[at->a] = r[at->b] - r[at->c]; break;
      case MUL: r[at->a] = r[at->b] * r[at->c]; break;
      case AND: r[at->a] = r[at->b] & r[at->c]; break;
      case XOR: r[at->a] = r[at->b] ^ r[at->c]; break;
      case SHIFT_LEFT: r[at->a] = r[at->b] << at->value; break;
      case SHIFT_RIGHT: r[at->a] = r[at->b] >> at->value; break;
      case LOAD: r[at->a] = cells[r[at->b] % CELLS]; break;
      case STORE: cells[r[at->a] % CELLS] = r[at->b]; break;
      case JUMP: at = &program[at->value] - 1; break;
      case LESS: at += r[at->a] >= r[at->b]; break;
      case EQUAL: at += r[at->a] != r[at->b]; break;
      case ZERO: at += r[at->a] != 0; break;
      case ADD_CONSTANT: r[at->a] = r[at->b] + (uint32_t)at->value; break;
      case HALT: return steps;
    }
  }
}

int main(int argc, char **argv) {
  const long rounds = argc > 1 ? atol(argv[1]) : 20;
  if (rounds < 1 || rounds > 1000000) {
    fprintf(stderr, "interpreter: rounds must be from 1 to 1000000\n");
    return 2;
  }
  uint32_t registers[16] = {[6] = 2463534242u};
  uint64_t steps = 0;
  for (long round = 0; round < rounds; round++) {
    memset(cells, 0, SIEVE * sizeof *cells);
    steps += run(registers);
  }
  printf("%ld rounds, %llu instructions, hash %08x\n", rounds, (unsigned long long)steps, registers[9]);
  return 0;
}
