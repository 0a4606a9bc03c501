/* SHA-256 (FIPS 180-4) of generated data. The round constants are computed as the standard defines them: the first 32 bits of
   the fractional parts of the cube roots (square roots for the initial state) of the first primes, in whole numbers.
     sha256 [mebibytes]        1..100000 (default 64) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t k[64], initial[8];

/* Whole numbers of 128 bits, which standard C does not have; enough for the cube of a number below 2^37. */
enum { LIMBS = 8 };
struct wide {
  uint32_t limb[LIMBS]; /* 16 bits each, lowest first */
};

static struct wide wide_of(uint64_t value, int shift_limbs) {
  struct wide result = {{0}};
  for (int at = 0; at < 4 && at + shift_limbs < LIMBS; at++) result.limb[at + shift_limbs] = (uint32_t)(value >> (16 * at)) & 0xffff;
  return result;
}

static struct wide times(struct wide a, struct wide b) {
  struct wide result = {{0}};
  for (int i = 0; i < LIMBS; i++) {
    uint64_t carry = 0;
    for (int j = 0; i + j < LIMBS; j++) {
      const uint64_t sum = result.limb[i + j] + (uint64_t)a.limb[i] * b.limb[j] + carry;
      result.limb[i + j] = (uint32_t)(sum & 0xffff);
      carry = sum >> 16;
    }
  }
  return result;
}

static int greater(struct wide a, struct wide b) {
  for (int at = LIMBS - 1; at >= 0; at--) {
    if (a.limb[at] != b.limb[at]) return a.limb[at] > b.limb[at];
  }
  return 0;
}

/* The fraction of a prime's square root (degree 2) or cube root (degree 3) in 32 bits: the largest x with
   x^degree <= prime * 2^(32 * degree), found bit by bit; its upper bits are the root's whole part. */
static uint32_t root_fraction(unsigned prime, int degree) {
  const struct wide target = wide_of(prime, degree * 2);
  uint64_t root = 0;
  for (int bit = 36; bit >= 0; bit--) {
    const uint64_t trial = root | (1ULL << bit);
    const struct wide one = wide_of(trial, 0);
    const struct wide power = degree == 2 ? times(one, one) : times(times(one, one), one);
    if (!greater(power, target)) root = trial;
  }
  return (uint32_t)root;
}

static void make_constants(void) {
  int found = 0;
  for (unsigned candidate = 2; found < 64; candidate++) {
    int prime = 1;
    for (unsigned divisor = 2; divisor * divisor <= candidate; divisor++) prime &= candidate % divisor != 0;
    if (!prime) continue;
    if (found < 8) initial[found] = root_fraction(candidate, 2);
    k[found++] = root_fraction(candidate, 3);
  }
}

static uint32_t rotate(uint32_t value, int bits) { return value >> bits | value << (32 - bits); }

static void block(uint32_t *state, const uint8_t *bytes) {
  uint32_t w[64];
  for (int t = 0; t < 16; t++) {
    w[t] = (uint32_t)bytes[4 * t] << 24 | (uint32_t)bytes[4 * t + 1] << 16 | (uint32_t)bytes[4 * t + 2] << 8 | bytes[4 * t + 3];
  }
  for (int t = 16; t < 64; t++) {
    const uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
    const uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (int t = 0; t < 64; t++) {
    const uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + k[t] + w[t];
    const uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void print_digest(const char *name, const uint32_t *state) {
  printf("%s ", name);
  for (int at = 0; at < 8; at++) printf("%08x", (unsigned)state[at]);
  printf("\n");
}

/* The last block: 0x80, zeros, and the length in bits, for a message of whole blocks and a remainder shorter than 56 bytes. */
static void finish(uint32_t *state, const uint8_t *rest, size_t rest_bytes, uint64_t message_bytes) {
  uint8_t last[64] = {0};
  memcpy(last, rest, rest_bytes);
  last[rest_bytes] = 0x80;
  for (int at = 0; at < 8; at++) last[63 - at] = (uint8_t)(message_bytes * 8 >> (8 * at));
  block(state, last);
}

int main(int argc, char **argv) {
  const int mebibytes = argc > 1 ? atoi(argv[1]) : 64;
  if (mebibytes < 1 || mebibytes > 100000) {
    fprintf(stderr, "sha256: mebibytes must be from 1 to 100000\n");
    return 2;
  }
  make_constants();
  uint32_t state[8];
  memcpy(state, initial, sizeof state);
  finish(state, (const uint8_t *)"abc", 3, 3);
  print_digest("abc", state); /* the standard's own example */

  memcpy(state, initial, sizeof state);
  static uint8_t chunk[65536];
  uint32_t seed = 1;
  const uint64_t chunks = (uint64_t)mebibytes * 16;
  for (uint64_t at = 0; at < chunks; at++) {
    for (size_t byte = 0; byte < sizeof chunk; byte += 64) {
      seed = seed * 1664525u + 1013904223u;
      chunk[byte] = (uint8_t)(seed >> 24);
    }
    for (size_t byte = 0; byte < sizeof chunk; byte += 64) block(state, chunk + byte);
  }
  finish(state, chunk, 0, chunks * sizeof chunk);
  char name[32];
  snprintf(name, sizeof name, "%d MiB", mebibytes);
  print_digest(name, state);
  return 0;
}
