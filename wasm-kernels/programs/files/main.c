/* Uses files as ordinary programs do: creates a folder below ".", writes files into it, reads them back, seeks, appends, renames,
   lists and removes them. Prints checksums; a step that fails ends the program with a message.
     files [rounds]        1..1000000 (default 200) */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char folder[] = "./nightshift-files";

static void need(int done, const char *what) {
  if (done) return;
  fprintf(stderr, "files: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint32_t checksum(const char *path) {
  FILE *file = fopen(path, "rb");
  need(file != NULL, path);
  uint32_t sum = 2166136261u;
  char buffer[777]; /* not a divisor of anything, so that reads end in the middle of records */
  size_t got;
  while ((got = fread(buffer, 1, sizeof buffer, file)) > 0) {
    for (size_t at = 0; at < got; at++) sum = (sum ^ (unsigned char)buffer[at]) * 16777619u;
  }
  need(!ferror(file) && fclose(file) == 0, "reading");
  return sum;
}

static int by_name(const void *left, const void *right) { return strcmp(*(char *const *)left, *(char *const *)right); }

/* Prints the folder's files with their sizes, in order of name, since folders have none. */
static void list(void) {
  char *names[64];
  size_t count = 0;
  DIR *directory = opendir(folder);
  need(directory != NULL, "opendir");
  for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < 64;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    need((names[count] = malloc(strlen(entry->d_name) + 1)) != NULL, "malloc");
    strcpy(names[count++], entry->d_name);
  }
  closedir(directory);
  qsort(names, count, sizeof names[0], by_name);
  for (size_t at = 0; at < count; at++) {
    char path[128];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, names[at]);
    need(stat(path, &status) == 0, "stat");
    printf("%s %lld bytes, checksum %08x\n", names[at], (long long)status.st_size, (unsigned)checksum(path));
    free(names[at]);
  }
}

static void write_text(const char *path, int lines) {
  FILE *file = fopen(path, "w");
  need(file != NULL, path);
  for (int at = 0; at < lines; at++) need(fprintf(file, "line %d of %d\n", at + 1, lines) > 0, "fprintf");
  need(fclose(file) == 0, "fclose");
}

/* Overwrites every tenth record in place, by number, from the last to the first. */
static void patch_records(const char *path, int records) {
  const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  need(file >= 0, path);
  uint32_t record[4];
  for (int at = 0; at < records; at++) {
    for (int word = 0; word < 4; word++) record[word] = (uint32_t)(at * 4 + word) * 2654435761u;
    need(write(file, record, sizeof record) == (ssize_t)sizeof record, "write");
  }
  for (int at = records - 1; at >= 0; at -= 10) {
    const off_t place = (off_t)at * (off_t)sizeof record;
    need(lseek(file, place, SEEK_SET) == place && read(file, record, sizeof record) == (ssize_t)sizeof record, "read");
    record[0] ^= record[3];
    need(lseek(file, place, SEEK_SET) == place && write(file, record, sizeof record) == (ssize_t)sizeof record, "rewrite");
  }
  need(lseek(file, 0, SEEK_END) == (off_t)records * (off_t)sizeof record, "lseek");
  need(close(file) == 0, "close");
}

int main(int argc, char **argv) {
  const int rounds = argc > 1 ? atoi(argv[1]) : 200;
  if (rounds < 1 || rounds > 1000000) {
    fprintf(stderr, "files: rounds must be from 1 to 1000000\n");
    return 2;
  }
  char text[64], renamed[64], records[64];
  snprintf(text, sizeof text, "%s/text.txt", folder);
  snprintf(renamed, sizeof renamed, "%s/renamed.txt", folder);
  snprintf(records, sizeof records, "%s/records.bin", folder);
  need(mkdir(folder, 0755) == 0 || errno == EEXIST, "mkdir");

  uint32_t sum = 0;
  for (int round = 0; round < rounds; round++) {
    write_text(text, 100 + round % 50);
    patch_records(records, 100 + round % 30);
    FILE *file = fopen(text, "a");
    need(file != NULL && fprintf(file, "appended in round %d\n", round) > 0 && fclose(file) == 0, "append");
    need(rename(text, renamed) == 0, "rename");
    need(access(text, F_OK) != 0 && errno == ENOENT, "the old name is gone");
    sum = sum * 31 + checksum(renamed) + checksum(records);
  }
  list();
  printf("%d rounds, checksum %08x\n", rounds, (unsigned)sum);
  need(unlink(renamed) == 0 && unlink(records) == 0 && rmdir(folder) == 0, "removing");
  return 0;
}
