/* A path tracer in colour: spheres on a plain at dusk; prints the picture as PPM (P6), row by row, or one tile of it.
   Only + - * / and sqrt are used, which every processor rounds alike.
     render [width] [samples] [tile] [tiles]
   width 8..4000 (default 200), samples per point 1..10000 (default 16); tile 1..tiles of a picture that is cut into n x n tiles, row by row
   (default 1 1: all of it). */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct vec {
  double x, y, z;
};

struct sphere {
  struct vec centre;
  double radius;
  struct vec colour;
  /* 0: diffuse. 1: mirrors. 2: shines by itself. */
  int kind;
};

enum { DIFFUSE, MIRROR, LIGHT, SMALL = 44, BIG = 4, SPHERES = SMALL + BIG, MAX_DEPTH = 10 };
static struct sphere scene[SPHERES] = {
    {{0, -2000, 0}, 2000, {0.36, 0.38, 0.46}, DIFFUSE},
    {{0, 1.15, -0.4}, 1.15, {0.93, 0.93, 0.96}, MIRROR},
    {{-2.5, 0.85, 0.3}, 0.85, {0.86, 0.38, 0.3}, DIFFUSE},
    {{2.35, 0.95, 0.1}, 0.95, {0.2, 0.5, 0.56}, DIFFUSE},
};

static struct vec add(struct vec a, struct vec b) { return (struct vec){a.x + b.x, a.y + b.y, a.z + b.z}; }
static struct vec sub(struct vec a, struct vec b) { return (struct vec){a.x - b.x, a.y - b.y, a.z - b.z}; }
static struct vec scale(struct vec a, double by) { return (struct vec){a.x * by, a.y * by, a.z * by}; }
static struct vec times(struct vec a, struct vec b) { return (struct vec){a.x * b.x, a.y * b.y, a.z * b.z}; }
static double dot(struct vec a, struct vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static struct vec unit(struct vec a) { return scale(a, 1 / sqrt(dot(a, a))); }

/* xorshift64*: uniform in [0, 1). */
static double uniform(uint64_t *state) {
  *state ^= *state >> 12, *state ^= *state << 25, *state ^= *state >> 27;
  return (double)((*state * 2685821657736338717ULL) >> 11) / 9007199254740992.0;
}

/* Uniform on the unit sphere, by rejection. */
static struct vec direction(uint64_t *state) {
  for (;;) {
    const struct vec v = {uniform(state) * 2 - 1, uniform(state) * 2 - 1, uniform(state) * 2 - 1};
    const double squared = dot(v, v);
    if (squared > 1e-6 && squared <= 1) return scale(v, 1 / sqrt(squared));
  }
}

/* Small ones on the plain, none within another: always the same. */
static void scatter(void) {
  uint64_t state = 20161121;
  for (int made = BIG; made < SPHERES;) {
    const double radius = 0.12 + 0.16 * uniform(&state);
    const struct vec centre = {uniform(&state) * 11 - 5.5, radius, uniform(&state) * 8.5 - 5.5};
    int free = 1;
    for (int at = 1; at < made; at++) {
      const struct vec apart = sub(scene[at].centre, centre);
      const double least = scene[at].radius + radius + 0.06;
      if (dot(apart, apart) < least * least) free = 0;
    }
    if (!free) continue;
    const double which = uniform(&state), warm = uniform(&state);
    const struct vec colour = {0.25 + 0.6 * warm, 0.32 + 0.2 * warm, 0.75 - 0.5 * warm};
    scene[made].centre = centre, scene[made].radius = radius;
    scene[made].kind = which < 0.2 ? LIGHT : which < 0.4 ? MIRROR : DIFFUSE;
    scene[made].colour = which < 0.2 ? (struct vec){4.4, 2.9, 1.2} : colour;
    made++;
  }
}

/* Distance along the ray to the sphere, or 0 when it is missed. */
static double meet(const struct sphere *sphere, struct vec origin, struct vec way) {
  const struct vec to = sub(sphere->centre, origin);
  const double along = dot(to, way), discriminant = along * along - dot(to, to) + sphere->radius * sphere->radius;
  if (discriminant <= 0) return 0;
  const double root = sqrt(discriminant);
  if (along - root > 1e-4) return along - root;
  return along + root > 1e-4 ? along + root : 0;
}

/* Dusk: gold at the horizon, then blue. */
static struct vec sky(struct vec way) {
  const double up = way.y > 0 ? way.y : 0, low = 1 / (1 + 9 * up);
  return add(scale((struct vec){1.15, 0.62, 0.34}, low * low), scale((struct vec){0.1, 0.19, 0.42}, 1 - low * 0.7));
}

/* The light that arrives from that way. */
static struct vec trace(struct vec origin, struct vec way, int depth, uint64_t *state) {
  const struct sphere *hit = NULL;
  double nearest = 1e30;
  for (int at = 0; at < SPHERES; at++) {
    const double distance = meet(&scene[at], origin, way);
    if (distance > 0 && distance < nearest) nearest = distance, hit = &scene[at];
  }
  if (hit == NULL) return sky(way);
  if (hit->kind == LIGHT) return hit->colour;
  if (depth == MAX_DEPTH) return (struct vec){0, 0, 0};
  const struct vec point = add(origin, scale(way, nearest)), normal = unit(sub(point, hit->centre));
  const struct vec onward = hit->kind == MIRROR ? sub(way, scale(normal, 2 * dot(way, normal)))
                                                : unit(add(scale(normal, 1.0001), direction(state)));
  return times(hit->colour, trace(point, onward, depth + 1, state));
}

/* 0..255, brighter in the dark as eyes are. */
static int level(double light) { return light >= 1 ? 255 : (int)(sqrt(light) * 255.999); }

int main(int argc, char **argv) {
  const int width = argc > 1 ? atoi(argv[1]) : 200, samples = argc > 2 ? atoi(argv[2]) : 16;
  const int tile = argc > 3 ? atoi(argv[3]) : 1, tiles = argc > 4 ? atoi(argv[4]) : 1;
  int across = 1;
  while (across * across < tiles && across < 100) across++;
  if (width < 8 || width > 4000 || samples < 1 || samples > 10000 || tile < 1 || tile > tiles || across * across != tiles) {
    fprintf(stderr, "render: width must be from 8 to 4000, samples from 1 to 10000, tile from 1 to tiles, which are n x n\n");
    return 2;
  }
  scatter();
  const int height = width * 3 / 4, column = (tile - 1) % across, row = (tile - 1) / across;
  const int left = width * column / across, right = width * (column + 1) / across;
  const int top = height * row / across, bottom = height * (row + 1) / across;
  const struct vec eye = {0, 1.9, 6.2};
  printf("P6\n%d %d\n255\n", right - left, bottom - top);
  for (int y = top; y < bottom; y++) {
    for (int x = left; x < right; x++) {
      uint64_t state = 88172645463325252ULL + ((uint64_t)y * 4001 + (uint64_t)x) * 7919;
      struct vec sum = {0, 0, 0};
      for (int sample = 0; sample < samples; sample++) {
        const double u = (x + uniform(&state)) / width - 0.5, v = 0.5 - (y + uniform(&state)) / height;
        sum = add(sum, trace(eye, unit((struct vec){u * 1.24, v * 0.93 - 0.16, -1}), 0, &state));
      }
      putchar(level(sum.x / samples)), putchar(level(sum.y / samples)), putchar(level(sum.z / samples));
    }
  }
  return 0;
}
