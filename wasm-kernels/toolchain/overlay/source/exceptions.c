/* C++ exceptions cannot be caught yet: the libraries lack the unwinder. A program that uses them builds and runs until it throws
   one; then it says so and traps, as if nobody had caught it. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* The Itanium C++ ABI's std::type_info: a pointer to its virtual functions, then the mangled name. */
struct type_info {
  const void *virtual_functions;
  const char *name;
};

_Noreturn void __cxa_throw(void *object, const struct type_info *type, void (*destructor)(void *)) {
  (void)object, (void)destructor;
  fprintf(stderr, "nightshift: a C++ exception of type %s was thrown; exceptions cannot be caught yet\n", type->name);
  abort();
}

_Noreturn void __cxa_rethrow(void) { abort(); }

void *__cxa_allocate_exception(size_t bytes) {
  void *object = calloc(1, bytes);
  if (object == NULL) abort();
  return object;
}

void __cxa_free_exception(void *object) { free(object); }

void *__cxa_begin_catch(void *object) { return object; }

void __cxa_end_catch(void) {}
