/* Fast Fourier transforms forth and back, in place, radix 2. The roots of unity come from square roots alone, which are rounded the same
   way everywhere, so that the output is the same on every machine.
     fft [bits] [rounds]        2^bits points, bits 1..22 (default 14), rounds 1..1000000 (default 40) */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct complex {
  double re, im;
};

/* roots[k] = exp(2 pi i k / points) for the first half, by halving angles: each level's odd ones from the two beside them. */
static void make_roots(struct complex *roots, long points) {
  const long half = points / 2;
  roots[0] = (struct complex){1, 0};
  if (half == 1) return;
  roots[half / 2] = (struct complex){0, 1};
  double cosine = 0; /* of a quarter turn */
  for (long step = half / 4; step > 0; step /= 2) {
    cosine = sqrt((1 + cosine) / 2); /* of half the angle between two known roots */
    for (long at = step; at < half; at += 2 * step) {
      const struct complex before = roots[at - step];
      const struct complex after = at + step < half ? roots[at + step] : (struct complex){-1, 0};
      roots[at] = (struct complex){(before.re + after.re) / (2 * cosine), (before.im + after.im) / (2 * cosine)};
    }
  }
}

static void transform(struct complex *data, const struct complex *roots, long points, double sign) {
  for (long at = 1, other = 0; at < points; at++) {
    long bit = points >> 1;
    for (; other & bit; bit >>= 1) other ^= bit;
    other ^= bit;
    if (at < other) {
      const struct complex kept = data[at];
      data[at] = data[other];
      data[other] = kept;
    }
  }
  for (long length = 2; length <= points; length *= 2)
    for (long begin = 0; begin < points; begin += length)
      for (long k = 0; k < length / 2; k++) {
        const struct complex root = roots[k * (points / length)];
        struct complex *low = &data[begin + k], *high = low + length / 2;
        const double re = high->re * root.re - high->im * root.im * sign;
        const double im = high->re * root.im * sign + high->im * root.re;
        high->re = low->re - re;
        high->im = low->im - im;
        low->re += re;
        low->im += im;
      }
}

int main(int argc, char **argv) {
  const int bits = argc > 1 ? atoi(argv[1]) : 14;
  const long rounds = argc > 2 ? atol(argv[2]) : 40;
  if (bits < 1 || bits > 22 || rounds < 1 || rounds > 1000000) {
    fprintf(stderr, "fft: bits must be from 1 to 22, rounds from 1 to 1000000\n");
    return 2;
  }
  const long points = 1L << bits;
  struct complex *data = malloc((size_t)points * sizeof *data), *roots = malloc((size_t)points / 2 * sizeof *roots);
  if (!data || !roots) {
    fprintf(stderr, "fft: not enough memory for %ld points\n", points);
    return 1;
  }
  make_roots(roots, points);
  uint32_t state = 2463534242u;
  for (long at = 0; at < points; at++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    data[at] = (struct complex){(double)(state & 0xffff), (double)(state >> 16)};
  }
  uint64_t checksum = 0;
  for (long round = 0; round < rounds; round++) {
    transform(data, roots, points, 1);
    for (long at = 0; at < points; at += 1 + points / 8) {
      uint64_t bits_of;
      memcpy(&bits_of, &data[at].re, sizeof bits_of);
      checksum = checksum * 31 + (bits_of >> 20);
    }
    transform(data, roots, points, -1);
    for (long at = 0; at < points; at++) data[at].re /= (double)points, data[at].im /= (double)points;
  }
  printf("%ld points, %ld rounds, first %.6f %.6f, checksum %016llx\n", points, rounds, data[0].re, data[0].im,
         (unsigned long long)checksum);
  free(roots);
  free(data);
  return 0;
}
