/* Searches a recording for narrow signals that drift, as of a turning transmitter far away: for each frequency of a band the power at the drift that fits
   best, in units of the noise; prints frequency in MHz and power, a line each. The recording is noise with some weak signals in it, always the same.
   Only + - * / are used, which every processor rounds alike.
     spectrum [band] [bands] [samples]
   band 1..bands (default 1 1: all 4096 frequencies), samples of the recording 256..1048576 (default 1024). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FREQUENCIES = 4096, DRIFTS = 7, SIGNALS = 9 };

struct turn {
  double re, im;
};

static struct turn after(struct turn a, struct turn b) {
  return (struct turn){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* e^(2 pi i angle), by its series for a sixteenth of it, squared four times. */
static struct turn turn(double angle) {
  const double x = (angle - (double)(long long)angle) * 6.283185307179586 / 16;
  const double y = x * x;
  struct turn t = {1 - y / 2 * (1 - y / 12 * (1 - y / 30 * (1 - y / 56 * (1 - y / 90)))),
                   x * (1 - y / 6 * (1 - y / 20 * (1 - y / 42 * (1 - y / 72 * (1 - y / 110)))))};
  for (int time = 0; time < 4; time++) t = after(t, t);
  return t;
}

/* xorshift64*: uniform in [0, 1). */
static double uniform(uint64_t *state) {
  *state ^= *state >> 12, *state ^= *state << 25, *state ^= *state >> 27;
  return (double)((*state * 2685821657736338717ULL) >> 11) / 9007199254740992.0;
}

/* Nearly normal, of variance 1. */
static double noise(uint64_t *state) {
  double sum = -6;
  for (int time = 0; time < 12; time++) sum += uniform(state);
  return sum;
}

/* Drifts are counted in frequencies by which a signal is off at the recording's end. */
static double drifted(int drift, int samples) { return (double)drift / FREQUENCIES / samples; }

static void record(struct turn *recording, int samples) {
  static const struct {
    double frequency, strength;
    int drift;
  } signals[SIGNALS] = {{301, 5.5, 1},  {742, 9, -2},  {1210, 4.6, 0}, {1655, 13, 2},  {2020, 5, -1},
                        {2488, 7.5, 3}, {2493, 6, 3}, {3105, 16, -3}, {3700, 5.2, 1}};
  uint64_t state = 1420405751;
  for (int at = 0; at < samples; at++) recording[at] = (struct turn){noise(&state), noise(&state)};
  for (int which = 0; which < SIGNALS; which++) {
    /* As strong in any recording: a signal adds up with the samples, noise with their root. */
    double root = 1;
    for (int time = 0; time < 40; time++) root = (root + samples / root) / 2;
    const double amplitude = signals[which].strength / root;
    struct turn now = {amplitude, 0}, step = turn(signals[which].frequency / FREQUENCIES);
    const struct turn bend = turn(drifted(signals[which].drift, samples));
    for (int at = 0; at < samples; at++) {
      recording[at].re += now.re, recording[at].im += now.im;
      now = after(now, step), step = after(step, bend);
    }
  }
}

/* Of the noise it is 1 on average. */
static double power(const struct turn *recording, int samples, int frequency, int drift) {
  struct turn now = {1, 0}, step = turn(1 - (double)frequency / FREQUENCIES), sum = {0, 0};
  const struct turn bend = turn(drifted(-drift, samples));
  for (int at = 0; at < samples; at++) {
    const struct turn turned = after(recording[at], now);
    sum.re += turned.re, sum.im += turned.im;
    now = after(now, step), step = after(step, bend);
  }
  return (sum.re * sum.re + sum.im * sum.im) / (2.0 * samples);
}

int main(int argc, char **argv) {
  const int band = argc > 1 ? atoi(argv[1]) : 1, bands = argc > 2 ? atoi(argv[2]) : 1;
  const int samples = argc > 3 ? atoi(argv[3]) : 1024;
  if (bands < 1 || bands > FREQUENCIES || band < 1 || band > bands || samples < 256 || samples > 1048576) {
    fprintf(stderr, "spectrum: band must be from 1 to bands, which are at most 4096, samples from 256 to 1048576\n");
    return 2;
  }
  struct turn *recording = malloc((size_t)samples * sizeof *recording);
  if (recording == NULL) return 1;
  record(recording, samples);
  for (int frequency = FREQUENCIES * (band - 1) / bands; frequency < FREQUENCIES * band / bands; frequency++) {
    double most = 0;
    for (int drift = -(DRIFTS / 2); drift <= DRIFTS / 2; drift++) {
      const double here = power(recording, samples, frequency, drift);
      if (here > most) most = here;
    }
    printf("%.4f %.3f\n", 1420 + frequency * 0.0002, most);
    fflush(stdout);
  }
  free(recording);
  return 0;
}
