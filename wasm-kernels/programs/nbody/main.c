/* Five bodies under gravity, a heavy one and four light ones; prints the energy before and after, which hardly changes.
     nbody [steps]        1..1000000000 (default 2000000) */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODIES = 5 };

struct body {
  double position[3], velocity[3], mass;
};

/* A heavy centre and four light bodies on nearly circular orbits at growing distances; units with G = 1. */
static void arrange(struct body *bodies) {
  bodies[0] = (struct body){{0, 0, 0}, {0, 0, 0}, 40.0};
  for (int at = 1; at < BODIES; at++) {
    const double radius = 5.0 * at, speed = sqrt(40.0 / radius);
    bodies[at] = (struct body){{radius, 0.1 * at, 0.05 * at}, {0.02 * at, speed, -0.01 * at}, 0.01 * at};
  }
}

static void step(struct body *bodies, double dt) {
  for (int i = 0; i < BODIES; i++) {
    for (int j = i + 1; j < BODIES; j++) {
      double difference[3], squared = 0;
      for (int axis = 0; axis < 3; axis++) {
        difference[axis] = bodies[i].position[axis] - bodies[j].position[axis];
        squared += difference[axis] * difference[axis];
      }
      const double pull = dt / (squared * sqrt(squared));
      for (int axis = 0; axis < 3; axis++) {
        bodies[i].velocity[axis] -= difference[axis] * bodies[j].mass * pull;
        bodies[j].velocity[axis] += difference[axis] * bodies[i].mass * pull;
      }
    }
  }
  for (int i = 0; i < BODIES; i++) {
    for (int axis = 0; axis < 3; axis++) bodies[i].position[axis] += dt * bodies[i].velocity[axis];
  }
}

/* Kinetic and potential energy together. */
static double energy(const struct body *bodies) {
  double total = 0;
  for (int i = 0; i < BODIES; i++) {
    for (int axis = 0; axis < 3; axis++) total += 0.5 * bodies[i].mass * bodies[i].velocity[axis] * bodies[i].velocity[axis];
    for (int j = i + 1; j < BODIES; j++) {
      double squared = 0;
      for (int axis = 0; axis < 3; axis++) {
        const double difference = bodies[i].position[axis] - bodies[j].position[axis];
        squared += difference * difference;
      }
      total -= bodies[i].mass * bodies[j].mass / sqrt(squared);
    }
  }
  return total;
}

int main(int argc, char **argv) {
  const long steps = argc > 1 ? atol(argv[1]) : 2000000;
  if (steps < 1 || steps > 1000000000) {
    fprintf(stderr, "nbody: steps must be from 1 to 1000000000\n");
    return 2;
  }
  struct body bodies[BODIES];
  arrange(bodies);
  printf("energy before %.9f\n", energy(bodies));
  for (long at = 0; at < steps; at++) step(bodies, 0.001);
  printf("energy after  %.9f, %ld steps\n", energy(bodies), steps);
  return 0;
}
