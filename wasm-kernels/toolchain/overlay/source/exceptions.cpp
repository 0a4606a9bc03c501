/* Throwing and catching C++ exceptions: their memory, the stack of those being handled, and exception_ptr's references. Which
   handler takes one is decided in personality.cpp. There is one thread. */
#include "exceptions.h"
#include <exception>
#include <stdlib.h>

/* libc++abi's, with a small reserve for when memory has run out. */
namespace __cxxabiv1 {
void *__aligned_malloc_with_fallback(size_t bytes);
void __aligned_free_with_fallback(void *memory);
void *__calloc_with_fallback(size_t count, size_t bytes);
void __free_with_fallback(void *memory);
} // namespace __cxxabiv1
using namespace __cxxabiv1;

static Globals globals;

static Exception *exception_of(void *object) { return static_cast<Exception *>(object) - 1; }

[[noreturn]] static void send(Throwing *throwing) {
  throwing->caught = throwing->exception->object();
  throwing->in_the_air_before = globals.in_the_air;
  globals.in_the_air = throwing;
  globals.uncaught++;
  __builtin_wasm_throw(0, throwing); // tag 0 is __cpp_exception
}

/* It is nearly always the top one; a destructor that throws while another is in the air may leave that below. */
static void land(const Throwing *throwing) {
  for (Throwing **link = &globals.in_the_air; *link; link = &(*link)->in_the_air_before) {
    if (*link != throwing) continue;
    *link = throwing->in_the_air_before;
    globals.uncaught--;
    return;
  }
}

extern "C" {
Globals *__cxa_get_globals() noexcept { return &globals; }
Globals *__cxa_get_globals_fast() noexcept { return &globals; }

void *__cxa_allocate_exception(size_t bytes) noexcept {
  void *memory = __aligned_malloc_with_fallback(sizeof(Exception) + bytes);
  if (!memory) std::terminate();
  __builtin_memset(memory, 0, sizeof(Exception));
  return static_cast<Exception *>(memory)->object();
}

void __cxa_free_exception(void *object) noexcept { __aligned_free_with_fallback(exception_of(object)); }

Exception *__cxa_init_primary_exception(void *object, std::type_info *type, void *(*destroy)(void *)) noexcept {
  Exception *exception = exception_of(object);
  exception->type = type;
  exception->destroy = destroy;
  exception->first.exception = exception;
  return exception;
}

[[noreturn]] void __cxa_throw(void *object, std::type_info *type, void *(*destroy)(void *)) {
  Exception *exception = __cxa_init_primary_exception(object, type, destroy);
  exception->references = 1;
  send(&exception->first);
}

void *__cxa_get_exception_ptr(void *throwing) noexcept { return static_cast<Throwing *>(throwing)->caught; }

void *__cxa_begin_catch(void *thrown) noexcept {
  Throwing *throwing = static_cast<Throwing *>(thrown);
  land(throwing);
  throwing->handlers = abs(throwing->handlers) + 1;
  if (throwing != globals.handled) {
    throwing->handled_before = globals.handled;
    globals.handled = throwing;
  }
  return throwing->caught;
}

void __cxa_end_catch() {
  Throwing *throwing = globals.handled;
  if (!throwing) return;
  const bool again = throwing->handlers < 0;
  throwing->handlers += again ? 1 : -1;
  if (throwing->handlers != 0) return;
  globals.handled = throwing->handled_before;
  if (again) return; // in the air: whoever catches it lets it go
  Exception *exception = throwing->exception;
  if (throwing != &exception->first) __free_with_fallback(throwing);
  __cxa_decrement_exception_refcount(exception->object());
}

[[noreturn]] void __cxa_rethrow() {
  Throwing *throwing = globals.handled;
  if (!throwing) std::terminate();
  throwing->handlers = -throwing->handlers;
  send(throwing);
}

std::type_info *__cxa_current_exception_type() {
  return globals.handled ? const_cast<std::type_info *>(globals.handled->exception->type) : nullptr;
}

bool __cxa_uncaught_exception() noexcept { return globals.uncaught > 0; }
unsigned __cxa_uncaught_exceptions() noexcept { return globals.uncaught; }

void __cxa_increment_exception_refcount(void *object) noexcept {
  if (object) exception_of(object)->references++;
}

void __cxa_decrement_exception_refcount(void *object) noexcept {
  if (!object || --exception_of(object)->references > 0) return;
  if (exception_of(object)->destroy) exception_of(object)->destroy(object);
  __cxa_free_exception(object);
}

void *__cxa_current_primary_exception() noexcept {
  if (!globals.handled) return nullptr;
  void *object = globals.handled->exception->object();
  __cxa_increment_exception_refcount(object);
  return object;
}

/* Returns only without an exception: then std::rethrow_exception ends the program. */
void __cxa_rethrow_primary_exception(void *object) {
  if (!object) return;
  auto *throwing = static_cast<Throwing *>(__calloc_with_fallback(1, sizeof(Throwing)));
  if (!throwing) std::terminate();
  __cxa_increment_exception_refcount(object);
  throwing->exception = exception_of(object);
  send(throwing);
}

/* The program's main part in start.c, when it can throw. The handler catches this program's exceptions only: exit() may leave it
   by an exception of the host's. */
void nightshift_guard(void (*run)(void)) {
  try {
    run();
  } catch (...) {
    std::terminate();
  }
}
}
