/* What the parts of the C++ exception runtime share. The interface to compiled code is the Itanium C++ ABI's, level II, in the
   form that clang uses for legacy WebAssembly exceptions: a throw carries one pointer under the tag __cpp_exception. */
#ifndef NIGHTSHIFT_EXCEPTIONS_H
#define NIGHTSHIFT_EXCEPTIONS_H

#include <stddef.h>
#include <typeinfo>

namespace __cxxabiv1 {
struct __cxa_exception;
}
using Exception = __cxxabiv1::__cxa_exception; // the ABI's name

/* One throwing of an exception: what the tag carries. It is first in the air and then being handled; after `throw;` both, until
   the handlers inside the throwing one have ended. */
struct Throwing {
  Throwing *handled_before;
  Throwing *in_the_air_before;
  int handlers; // that have begun and not ended; negative once it has been thrown again by `throw;`
  void *caught; // the object as its handler sees it: a base class of it, or the pointer it holds
  Exception *exception;
};

/* Before every thrown object, whose alignment it keeps. std::rethrow_exception throws the same one again as a Throwing of its own. */
struct alignas(16) __cxxabiv1::__cxa_exception {
  int references; // by Throwings and exception_ptrs
  const std::type_info *type;
  void *(*destroy)(void *); // returns its argument, as destructors do in WebAssembly
  Throwing first;

  void *object() { return this + 1; }
};

/* The ABI's per-thread state: some libraries read it through __cxa_get_globals. Then ours: the exceptions in the air. */
struct Globals {
  Throwing *handled;
  unsigned uncaught;
  Throwing *in_the_air;
};

extern "C" {
Globals *__cxa_get_globals() noexcept;
void *__cxa_begin_catch(void *throwing) noexcept;
void __cxa_end_catch();
void __cxa_decrement_exception_refcount(void *object) noexcept;
}

/* Whether a handler for the first type takes an object of the second; if so `object` becomes what the handler gets. */
bool catches(const std::type_info *handler, const std::type_info *thrown, void *&object);

#endif
