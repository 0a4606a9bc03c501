/* Strings as programs use them: lines are made, split into words, compared, searched, reversed, turned into numbers and back.
     strings [lines]        1..10000000 (default 50000) */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const WORDS[] = {"night", "shift", "idle", "desktop", "cluster", "process", "migrate", "image",
                                    "owner", "lease", "epoch", "frame", "poll", "worker", "tunnel", "queue"};
enum { WORD_COUNT = sizeof WORDS / sizeof *WORDS, LINE = 256 };

static uint64_t state = 0x2545f4914f6cdd1du;
static unsigned draw(unsigned below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned)(state >> 33) % below;
}

static void reverse(char *text) {
  for (char *end = text + strlen(text); text < --end; text++) {
    const char kept = *text;
    *text = *end;
    *end = kept;
  }
}

int main(int argc, char **argv) {
  const long lines = argc > 1 ? atol(argv[1]) : 50000;
  if (lines < 1 || lines > 10000000) {
    fprintf(stderr, "strings: lines must be from 1 to 10000000\n");
    return 2;
  }
  uint64_t checksum = 0;
  long words = 0, numbers = 0, found = 0;
  char previous[LINE] = "";
  for (long at = 0; at < lines; at++) {
    char line[LINE], copy[LINE];
    int length = 0;
    const unsigned count = 3 + draw(12);
    for (unsigned word = 0; word < count; word++) {
      const size_t room = sizeof line - (size_t)length;
      if (draw(4) == 0) {
        const unsigned whole = draw(100000), hundredths = draw(100);
        length += snprintf(line + length, room, "%u.%02u ", whole, hundredths);
      } else length += snprintf(line + length, room, "%s ", WORDS[draw(WORD_COUNT)]);
    }
    strcpy(copy, line);
    for (char *rest = copy, *word; (word = strtok(rest, " ")); rest = NULL) {
      words++;
      if (isdigit((unsigned char)*word)) {
        char *end;
        checksum += (uint64_t)(strtod(word, &end) * 100 + 0.5) + (uint64_t)(end - word);
        numbers++;
      } else {
        word[0] = (char)toupper((unsigned char)word[0]);
        for (const char *c = word; *c; c++) checksum = checksum * 131 + (unsigned char)*c;
      }
    }
    if (strstr(line, "idle desktop") || strstr(line, "migrate image")) found++;
    if (strcmp(line, previous) > 0) checksum ^= (uint64_t)at;
    reverse(line);
    if (memchr(line, 'q', strlen(line))) checksum += strcspn(line, "q");
    memcpy(previous, line, sizeof previous);
  }
  printf("%ld lines, %ld words, %ld numbers, %ld found, checksum %016llx\n", lines, words, numbers, found,
         (unsigned long long)checksum);
  return 0;
}
