/* err, warn, error and syslog: messages with the program's name, on standard error. */
#include <err.h>
#include <errno.h>
#include <error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <wasi/api.h>

extern char *program_invocation_name, *program_invocation_short_name;

/* wasi-libc leaves the names empty. */
__attribute__((constructor)) static void learn_name(void) {
  size_t count, bytes;
  program_invocation_name = program_invocation_short_name = "program";
  if (__wasi_args_sizes_get(&count, &bytes) != 0 || count == 0) return;
  uint8_t *text = malloc(bytes), **arguments = malloc(count * sizeof *arguments);
  if (text && arguments && __wasi_args_get(arguments, text) == 0) {
    program_invocation_name = (char *)arguments[0];
    char *slash = strrchr(program_invocation_name, '/');
    program_invocation_short_name = slash ? slash + 1 : program_invocation_name;
  } else {
    free(text);
  }
  free(arguments);
}

/* "name: message: text of the error", parts as there are. */
static void say(const char *format, va_list arguments, int error_number) {
  fprintf(stderr, "%s: ", program_invocation_short_name);
  if (format) vfprintf(stderr, format, arguments);
  if (error_number) fprintf(stderr, "%s%s", format ? ": " : "", strerror(error_number));
  fputc('\n', stderr);
}

void vwarn(const char *format, va_list arguments) { say(format, arguments, errno); }
void vwarnx(const char *format, va_list arguments) { say(format, arguments, 0); }
_Noreturn void verr(int status, const char *format, va_list arguments) { vwarn(format, arguments), exit(status); }
_Noreturn void verrx(int status, const char *format, va_list arguments) { vwarnx(format, arguments), exit(status); }

#define WITH_ARGUMENTS(call)         \
  va_list arguments;                 \
  va_start(arguments, format), call; \
  va_end(arguments)

void warn(const char *format, ...) { WITH_ARGUMENTS(vwarn(format, arguments)); }
void warnx(const char *format, ...) { WITH_ARGUMENTS(vwarnx(format, arguments)); }
_Noreturn void err(int status, const char *format, ...) { WITH_ARGUMENTS(verr(status, format, arguments)); }
_Noreturn void errx(int status, const char *format, ...) { WITH_ARGUMENTS(verrx(status, format, arguments)); }

unsigned error_message_count;

void error(int status, int error_number, const char *format, ...) {
  fflush(stdout);
  WITH_ARGUMENTS(say(format, arguments, error_number));
  error_message_count++;
  if (status) exit(status);
}

void error_at_line(int status, int error_number, const char *file, unsigned line, const char *format, ...) {
  fflush(stdout);
  fprintf(stderr, "%s:%u: ", file, line);
  WITH_ARGUMENTS(say(format, arguments, error_number));
  error_message_count++;
  if (status) exit(status);
}

static int log_mask = 0xff;
void openlog(const char *name, int options, int facility) { (void)name, (void)options, (void)facility; }
void closelog(void) {}
int setlogmask(int mask) {
  int before = log_mask;
  if (mask) log_mask = mask;
  return before;
}
void vsyslog(int priority, const char *format, va_list arguments) {
  if (LOG_MASK(LOG_PRI(priority)) & log_mask) say(format, arguments, 0);
}
void syslog(int priority, const char *format, ...) { WITH_ARGUMENTS(vsyslog(priority, format, arguments)); }
