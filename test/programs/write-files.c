/* Reads input.txt, writes it twice to out/twice.txt, changes input.txt, writes a large file, and removes a file it was given. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
  char buffer[256];
  FILE *in = fopen("input.txt", "r+");
  if (in == NULL || mkdir("out", 0777) != 0) return 1;
  const size_t size = fread(buffer, 1, sizeof buffer, in);
  FILE *twice = fopen("out/twice.txt", "w");
  if (twice == NULL) return 2;
  fwrite(buffer, 1, size, twice);
  fwrite(buffer, 1, size, twice);
  if (fclose(twice) != 0) return 3;
  fseek(in, 0, SEEK_SET);
  fputs("CHANGED", in);
  if (fclose(in) != 0) return 4;
  FILE *large = fopen("out/large.bin", "wb");
  if (large == NULL) return 5;
  for (int at = 0; at < 300000; at++) putc(at * 7 & 255, large);
  if (fclose(large) != 0) return 6;
  return unlink("unwanted.txt") == 0 ? 0 : 7;
}
