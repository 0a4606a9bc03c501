/* <error.h> of glibc: messages with the program's name and an error's text. */
#ifndef NIGHTSHIFT_ERROR_H
#define NIGHTSHIFT_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

extern unsigned error_message_count;
void error(int status, int error_number, const char *format, ...) __attribute__((format(printf, 3, 4)));
void error_at_line(int status, int error_number, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#ifdef __cplusplus
}
#endif

#endif
