/* A small path tracer: diffuse, mirroring and shining spheres; prints the picture's mean brightness and a coarse thumbnail.
   Only + - * / and sqrt are used, which every processor rounds alike.
     pathtrace [width] [samples]        width 8..2000 (default 160), samples per point 1..10000 (default 16) */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct vec {
  double x, y, z;
};

struct sphere {
  struct vec centre;
  double radius, brightness, reflectance;
  int mirrors;
};

static const struct sphere scene[] = {
    {{0, -1000, 0}, 1000, 0, 0.6, 0}, {{0, 1, 0}, 1, 0, 0.85, 1},      {{-2.2, 0.7, 0.6}, 0.7, 0, 0.75, 0},
    {{2.1, 0.8, 0.4}, 0.8, 0, 0.5, 0}, {{0.9, 0.3, 1.6}, 0.3, 3, 0, 0}, {{-3, 6, 3}, 2, 6, 0, 0},
};
enum { SPHERES = sizeof scene / sizeof scene[0], MAX_DEPTH = 12 };

static struct vec add(struct vec a, struct vec b) { return (struct vec){a.x + b.x, a.y + b.y, a.z + b.z}; }
static struct vec sub(struct vec a, struct vec b) { return (struct vec){a.x - b.x, a.y - b.y, a.z - b.z}; }
static struct vec scale(struct vec a, double by) { return (struct vec){a.x * by, a.y * by, a.z * by}; }
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

/* Distance along the ray to the sphere, or 0 when it is missed. */
static double meet(const struct sphere *sphere, struct vec origin, struct vec way) {
  const struct vec to = sub(sphere->centre, origin);
  const double along = dot(to, way), discriminant = along * along - dot(to, to) + sphere->radius * sphere->radius;
  if (discriminant <= 0) return 0;
  const double root = sqrt(discriminant);
  if (along - root > 1e-4) return along - root;
  return along + root > 1e-4 ? along + root : 0;
}

/* The brightness that arrives from that way. */
static double trace(struct vec origin, struct vec way, int depth, uint64_t *state) {
  const struct sphere *hit = NULL;
  double nearest = 1e30;
  for (int at = 0; at < SPHERES; at++) {
    const double distance = meet(&scene[at], origin, way);
    if (distance > 0 && distance < nearest) nearest = distance, hit = &scene[at];
  }
  if (hit == NULL) return 0.2 + 0.3 * (way.y > 0 ? way.y : 0);
  if (depth == MAX_DEPTH || hit->reflectance == 0) return hit->brightness;
  const struct vec point = add(origin, scale(way, nearest)), normal = unit(sub(point, hit->centre));
  const struct vec onward =
      hit->mirrors ? sub(way, scale(normal, 2 * dot(way, normal))) : unit(add(scale(normal, 1.0001), direction(state)));
  return hit->brightness + hit->reflectance * trace(point, onward, depth + 1, state);
}

int main(int argc, char **argv) {
  const int width = argc > 1 ? atoi(argv[1]) : 160, samples = argc > 2 ? atoi(argv[2]) : 16;
  if (width < 8 || width > 2000 || samples < 1 || samples > 10000) {
    fprintf(stderr, "pathtrace: width must be from 8 to 2000, samples from 1 to 10000\n");
    return 2;
  }
  enum { COLUMNS = 32, ROWS = 12 };
  double cells[ROWS][COLUMNS] = {{0}}, total = 0;
  int counts[ROWS][COLUMNS] = {{0}};
  const int height = width * 3 / 4;
  const struct vec eye = {0, 1.8, 6};
  for (int y = 0; y < height; y++) {
    uint64_t state = 88172645463325252ULL + (uint64_t)y * 7919;
    for (int x = 0; x < width; x++) {
      double sum = 0;
      for (int sample = 0; sample < samples; sample++) {
        const double u = (x + uniform(&state)) / width - 0.5, v = 0.5 - (y + uniform(&state)) / height;
        sum += trace(eye, unit((struct vec){u * 1.2, v * 0.9 - 0.12, -1}), 0, &state);
      }
      total += sum / samples;
      cells[y * ROWS / height][x * COLUMNS / width] += sum / samples;
      counts[y * ROWS / height][x * COLUMNS / width]++;
    }
  }
  for (int row = 0; row < ROWS; row++) {
    for (int column = 0; column < COLUMNS; column++) {
      const double mean = counts[row][column] > 0 ? cells[row][column] / counts[row][column] : 0;
      putchar(" .:-=+*#%@"[mean >= 1 ? 9 : (int)(mean * 9.999)]);
    }
    putchar('\n');
  }
  printf("%d x %d, %d samples, mean brightness %.6f\n", width, height, samples, total / ((double)width * height));
  return 0;
}
