/* A square picture of the Mandelbrot set; prints how many points belong to it and a checksum of all iteration counts.
     mandelbrot [width]        points per side, 1..20000 (default 800) */
#include <stdio.h>
#include <stdlib.h>

enum { LIMIT = 500 };

/* Iterations until |z| exceeds 2, at most LIMIT. */
static int iterations(double cr, double ci) {
  double zr = 0, zi = 0;
  int count = 0;
  while (count < LIMIT && zr * zr + zi * zi <= 4.0) {
    const double next = zr * zr - zi * zi + cr;
    zi = 2 * zr * zi + ci;
    zr = next;
    count++;
  }
  return count;
}

int main(int argc, char **argv) {
  const int width = argc > 1 ? atoi(argv[1]) : 800;
  if (width < 1 || width > 20000) {
    fprintf(stderr, "mandelbrot: width must be from 1 to 20000\n");
    return 2;
  }
  unsigned long long inside = 0, checksum = 0;
  for (int y = 0; y < width; y++) {
    for (int x = 0; x < width; x++) {
      const int count = iterations(-2.0 + 2.5 * x / width, -1.25 + 2.5 * y / width);
      inside += count == LIMIT;
      checksum = checksum * 31 + (unsigned long long)count;
    }
  }
  printf("%d x %d points, %llu inside, checksum %016llx\n", width, width, inside, checksum);
  return 0;
}
