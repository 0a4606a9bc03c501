/* Reads all of stdin, a little at a time in every way there is, and says what it read. */
#include <stdio.h>
#include <string.h>

static unsigned sum;
static void take(const char *bytes, size_t count) {
  for (size_t at = 0; at < count; at++) sum = sum * 31 + (unsigned char)bytes[at];
}

int main(int argc, char **argv) {
  static char own[4096];
  if (argc > 1 && setvbuf(stdin, own, _IOFBF, sizeof own)) return 2;
  long bytes = 0;
  char text[100];
  for (int turn = 0;; turn++) {
    size_t count = 0;
    if (turn % 4 == 0) {
      int byte = getchar();
      if (byte != EOF && ungetc(byte, stdin) != byte) return 3;
      if (byte == EOF || getchar() != byte) break;
      text[count++] = (char)byte;
    } else if (turn % 4 == 1) {
      if (!fgets(text, 50, stdin)) break;
      count = strlen(text);
    } else if (turn % 4 == 2) {
      count = fread(text, 1, turn % 90, stdin);
    } else if (scanf("%60[^\n]", text) == 1) {
      count = strlen(text);
    }
    take(text, count);
    bytes += count;
  }
  printf("%ld bytes, %u, end %d, error %d\n", bytes, sum, feof(stdin) != 0, ferror(stdin));
  fflush(NULL);
  FILE *file = fopen("file", "w");
  if (!file || fputs("reopened\n", file) < 0 || fclose(file)) return 4;
  return !freopen("file", "r", stdin) || !fgets(text, 50, stdin) || strcmp(text, "reopened\n") != 0;
}
