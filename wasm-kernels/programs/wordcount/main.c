/* Makes up a text, counts its words in a hash table of malloc'd strings that grows and is emptied again and again, and prints the
   most frequent ones.
     wordcount [words]        1..1000000000 (default 2000000) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
  struct entry *next;
  char *word;
  long count;
};

struct table {
  struct entry **buckets;
  size_t size, used;
};

static void *need(void *memory) {
  if (memory == NULL) {
    fprintf(stderr, "wordcount: not enough memory\n");
    exit(1);
  }
  return memory;
}

static uint32_t hash(const char *word) {
  uint32_t value = 2166136261u;
  for (; *word != '\0'; word++) value = (value ^ (unsigned char)*word) * 16777619u;
  return value;
}

static void grow(struct table *table) {
  const size_t size = table->size == 0 ? 64 : table->size * 2;
  struct entry **buckets = need(calloc(size, sizeof(struct entry *)));
  for (size_t at = 0; at < table->size; at++) {
    for (struct entry *entry = table->buckets[at], *next; entry != NULL; entry = next) {
      next = entry->next;
      struct entry **bucket = &buckets[hash(entry->word) & (size - 1)];
      entry->next = *bucket;
      *bucket = entry;
    }
  }
  free(table->buckets);
  table->buckets = buckets;
  table->size = size;
}

static void count_word(struct table *table, const char *word, long by) {
  if (table->used >= table->size) grow(table);
  struct entry **bucket = &table->buckets[hash(word) & (table->size - 1)];
  for (struct entry *entry = *bucket; entry != NULL; entry = entry->next) {
    if (strcmp(entry->word, word) == 0) {
      entry->count += by;
      return;
    }
  }
  struct entry *entry = need(malloc(sizeof *entry));
  entry->word = need(malloc(strlen(word) + 1));
  strcpy(entry->word, word);
  entry->count = by;
  entry->next = *bucket;
  *bucket = entry;
  table->used++;
}

/* Empties `from` into `into`. */
static void merge(struct table *into, struct table *from) {
  for (size_t at = 0; at < from->size; at++) {
    for (struct entry *entry = from->buckets[at], *next; entry != NULL; entry = next) {
      next = entry->next;
      if (into != NULL) count_word(into, entry->word, entry->count);
      free(entry->word);
      free(entry);
    }
  }
  free(from->buckets);
  *from = (struct table){NULL, 0, 0};
}

/* Words of one to four syllables; short ones are the most frequent. */
static void make_word(char *word, uint32_t *state) {
  static const char *const syllables[] = {"ka", "ri", "to", "men", "sol", "va", "ne", "lu", "pi", "dor", "es", "tra", "mo", "in", "bel", "ha"};
  word[0] = '\0';
  do {
    *state = *state * 1664525u + 1013904223u;
    strcat(word, syllables[*state >> 28]);
  } while ((*state >> 8 & 3) != 0 && strlen(word) < 10);
}

static int by_count(const void *left, const void *right) {
  const struct entry *a = *(struct entry *const *)left, *b = *(struct entry *const *)right;
  return a->count != b->count ? (a->count < b->count ? 1 : -1) : strcmp(a->word, b->word);
}

int main(int argc, char **argv) {
  const long words = argc > 1 ? atol(argv[1]) : 2000000;
  if (words < 1 || words > 1000000000) {
    fprintf(stderr, "wordcount: words must be from 1 to 1000000000\n");
    return 2;
  }
  struct table total = {NULL, 0, 0}, page = {NULL, 0, 0};
  uint32_t state = 42;
  char word[32];
  for (long at = 1; at <= words; at++) {
    make_word(word, &state);
    count_word(&page, word, 1);
    if (at % 20000 == 0 || at == words) merge(&total, &page);
  }
  struct entry **entries = need(malloc(total.used * sizeof *entries));
  size_t found = 0;
  for (size_t at = 0; at < total.size; at++) {
    for (struct entry *entry = total.buckets[at]; entry != NULL; entry = entry->next) entries[found++] = entry;
  }
  qsort(entries, found, sizeof *entries, by_count);
  for (size_t at = 0; at < found && at < 8; at++) printf("%8ld %s\n", entries[at]->count, entries[at]->word);
  printf("%ld words, %zu different\n", words, found);
  free(entries);
  merge(NULL, &total);
  return 0;
}
