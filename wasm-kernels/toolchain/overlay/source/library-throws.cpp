/* What the prebuilt libc++ and libc++abi throw. They are compiled without exceptions: where one belongs they call a function with
   a printf format that says which, and that never returns. Here those functions throw it. The frames between are left without their
   destructors: something small may stay allocated. */
#include <errno.h>
#include <ios>
#include <new>
#include <stdarg.h>
#include <stdexcept>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <system_error>
#include <typeinfo>

static const char MARK[] = " was thrown in -fno-exceptions mode";

/* "%s" or "%i and message \"%s\"" after the mark are the arguments of the exception's constructor. */
static void throw_named(const char *format, va_list arguments) {
  const char *mark = strstr(format, MARK);
  if (!mark) return;
  const std::string_view name(format, static_cast<size_t>(mark - format));
  if (name == "bad_alloc") throw std::bad_alloc();
  if (name == "bad_array_new_length") throw std::bad_array_new_length();
  if (name == "bad_cast") throw std::bad_cast();
  if (name == "system_error") {
    const int code = va_arg(arguments, int);
    throw std::system_error(code, std::generic_category(), va_arg(arguments, const char *));
  }
  if (name == "filesystem_error") throw std::system_error(errno, std::generic_category(), "filesystem error"); // paths are not told
  if (!strstr(mark, "%s")) return;
  const char *message = va_arg(arguments, const char *);
  if (name == "length_error") throw std::length_error(message);
  if (name == "out_of_range") throw std::out_of_range(message);
  if (name == "invalid_argument") throw std::invalid_argument(message);
  if (name == "runtime_error") throw std::runtime_error(message);
  if (name == "overflow_error") throw std::overflow_error(message);
  if (name == "ios_base::failure") throw std::ios_base::failure(message);
}

[[noreturn]] static void fail(const char *format, va_list arguments) {
  throw_named(format, arguments);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  abort();
}

/* libc++'s, declared there as one that does not throw. */
extern "C" [[noreturn]] void verbose_abort(const char *format, ...) __asm__("_ZNSt3__222__libcpp_verbose_abortEPKcz");
void verbose_abort(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail(format, arguments);
}

extern "C" {
[[noreturn]] void __abort_message(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail(format, arguments);
}

/* Called by compiled code. */
[[noreturn]] void __cxa_bad_cast() { throw std::bad_cast(); }
[[noreturn]] void __cxa_bad_typeid() { throw std::bad_typeid(); }
[[noreturn]] void __cxa_throw_bad_array_new_length() { throw std::bad_array_new_length(); }
}
