/* std::terminate and the handlers it knows. By default it says on stderr which exception nobody caught, and aborts. */
#include "exceptions.h"
#include <exception>
#include <new>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *builtin_type(char letter) {
  switch (letter) {
  case 'b': return "bool";
  case 'c': return "char";
  case 'a': return "signed char";
  case 'h': return "unsigned char";
  case 'w': return "wchar_t";
  case 's': return "short";
  case 't': return "unsigned short";
  case 'i': return "int";
  case 'j': return "unsigned int";
  case 'l': return "long";
  case 'm': return "unsigned long";
  case 'x': return "long long";
  case 'y': return "unsigned long long";
  case 'f': return "float";
  case 'd': return "double";
  case 'e': return "long double";
  default: return nullptr;
  }
}

/* Writes a type's name as in the source: names, namespaces, built-in types and pointers to them. Everything else (templates above all)
   stays as the compiler wrote it: a whole demangler would be 170 KB in every program that throws. */
static void print_type(const char *mangled) {
  char text[512] = "", *end = text, *const limit = text + sizeof text - 1;
  const auto append = [&](const char *piece, size_t bytes) {
    if (bytes > static_cast<size_t>(limit - end)) return false;
    memcpy(end, piece, bytes);
    end += bytes;
    return true;
  };
  const char *at = mangled;
  const char *const stars = at;
  while (*at == 'P') at++;
  const size_t pointers = static_cast<size_t>(at - stars);
  bool understood = true;
  if (pointers > 0 && *at == 'K') at++, understood = append("const ", 6);
  const bool nested = *at == 'N';
  if (nested) at++;
  if (const char *name = nested ? nullptr : builtin_type(*at)) {
    at++;
    understood = understood && append(name, strlen(name));
  } else {
    bool first = true;
    if (at[0] == 'S' && at[1] == 't') at += 2, first = false, understood = understood && append("std", 3);
    do {
      const size_t bytes = strtoul(at, const_cast<char **>(&at), 10);
      const bool unnamed = bytes == 12 && memcmp(at, "_GLOBAL__N_1", 12) == 0;
      understood = understood && bytes > 0 && bytes <= strlen(at) && append("::", first ? 0 : 2) &&
                   (unnamed ? append("(anonymous namespace)", 21) : append(at, bytes));
      if (understood) at += bytes;
      first = false;
    } while (understood && nested && *at != 'E');
    if (nested && *at == 'E') at++;
  }
  for (size_t star = 0; star < pointers; star++) understood = understood && append("*", 1);
  fputs(understood && *at == 0 ? text : mangled, stderr);
}

[[noreturn]] static void say_and_abort() {
  const Throwing *throwing = __cxa_get_globals()->handled;
  if (!throwing) {
    fputs("terminating\n", stderr);
    abort();
  }
  Exception *exception = throwing->exception;
  fputs("terminating due to uncaught exception of type ", stderr);
  print_type(exception->type->name());
  if (void *object = exception->object(); catches(&typeid(std::exception), exception->type, object)) {
    fputs(": ", stderr);
    fputs(static_cast<const std::exception *>(object)->what(), stderr);
  }
  fputc('\n', stderr);
  abort();
}

template <typename Handler> static Handler exchange(Handler &variable, Handler next) {
  Handler previous = variable;
  variable = next;
  return previous;
}

/* libc++ and libc++abi read these by their names. */
extern "C" {
std::terminate_handler __cxa_terminate_handler = say_and_abort;
void (*__cxa_unexpected_handler)() = std::terminate;
std::new_handler __cxa_new_handler;
}

namespace std {
terminate_handler get_terminate() noexcept { return __cxa_terminate_handler; }
terminate_handler set_terminate(terminate_handler handler) noexcept {
  return exchange(__cxa_terminate_handler, handler ? handler : say_and_abort);
}

new_handler get_new_handler() noexcept { return __cxa_new_handler; }
new_handler set_new_handler(new_handler handler) noexcept { return exchange(__cxa_new_handler, handler); }

/* Removed from the language in C++17, but still there for older sources. */
void (*get_unexpected() noexcept)() { return __cxa_unexpected_handler; }
void (*set_unexpected(void (*handler)()) noexcept)() {
  return exchange(__cxa_unexpected_handler, handler ? handler : terminate);
}
[[noreturn]] void unexpected() {
  __cxa_unexpected_handler();
  terminate();
}

/* The exception that led here counts as caught, so that the handler can ask for it or throw it again. */
[[noreturn]] void terminate() noexcept {
  if (Throwing *throwing = __cxa_get_globals()->in_the_air) __cxa_begin_catch(throwing);
  try {
    __cxa_terminate_handler();
    fputs("the terminate handler returned\n", stderr);
  } catch (...) {
    fputs("the terminate handler threw an exception\n", stderr);
  }
  abort();
}
} // namespace std
