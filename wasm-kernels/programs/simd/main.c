/* Vector arithmetic written with the compiler's vector types, which become SIMD instructions natively and in WebAssembly alike: a filter
   over bytes, and sums of products in whole numbers.
     simd [rounds]        1..100000000 (default 400) over a picture of 1024 x 512 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 1024, HEIGHT = 512, LANES = 16 };
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef int32_t words __attribute__((vector_size(16)));

static uint8_t picture[2][HEIGHT][WIDTH];

static bytes load(const uint8_t *from) {
  bytes vector;
  memcpy(&vector, from, sizeof vector);
  return vector;
}

/* (a + b) / 2 in each byte, rounded down, without overflow. */
static bytes average(bytes a, bytes b) { return (a & b) + ((a ^ b) >> 1); }

static void smooth(uint8_t (*to)[WIDTH], uint8_t (*from)[WIDTH]) {
  for (int y = 1; y < HEIGHT - 1; y++)
    for (int x = LANES; x < WIDTH - LANES; x += LANES) {
      const bytes across = average(load(&from[y][x - 1]), load(&from[y][x + 1]));
      const bytes down = average(load(&from[y - 1][x]), load(&from[y + 1][x]));
      const bytes result = average(average(across, down), load(&from[y][x])) ^ (bytes)(load(&from[y][x]) > 250);
      memcpy(&to[y][x], &result, sizeof result);
    }
}

static int64_t product(uint8_t (*a)[WIDTH], uint8_t (*b)[WIDTH]) {
  int64_t total = 0;
  for (int y = 0; y < HEIGHT; y++) {
    words sum = {0};
    for (int x = 0; x < WIDTH; x += 4) {
      const words left = {a[y][x], a[y][x + 1], a[y][x + 2], a[y][x + 3]};
      const words right = {b[y][x], b[y][x + 1], b[y][x + 2], b[y][x + 3]};
      sum += left * right;
    }
    total += (int64_t)sum[0] + sum[1] + sum[2] + sum[3];
  }
  return total;
}

int main(int argc, char **argv) {
  const long rounds = argc > 1 ? atol(argv[1]) : 400;
  if (rounds < 1 || rounds > 100000000) {
    fprintf(stderr, "simd: rounds must be from 1 to 100000000\n");
    return 2;
  }
  uint32_t state = 2463534242u;
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      picture[0][y][x] = picture[1][y][x] = (uint8_t)(state >> 24);
    }
  int64_t total = 0;
  for (long at = 0; at < rounds; at++) {
    smooth(picture[(at + 1) & 1], picture[at & 1]);
    total = total * 3 + product(picture[0], picture[1]);
  }
  printf("%ld rounds, checksum %016llx\n", rounds, (unsigned long long)total);
  return 0;
}
