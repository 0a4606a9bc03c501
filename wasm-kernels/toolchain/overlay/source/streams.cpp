/* What an output or input operator does when something it called threw: the stream becomes bad or failed, and the exception goes on if the
   stream is asked to throw. libc++'s own, compiled without exceptions, lose it; the linker puts these in their place (--wrap). */
#include <ios>

/* Weak: these are in every C++ program that has streams, but where nothing throws there is nothing to throw again. */
extern "C" [[gnu::weak]] void __cxa_rethrow();

static void set(std::ios_base *stream, std::ios_base::iostate bit) {
  stream->__rdstate_ |= bit;
  if ((stream->__exceptions_ & bit) && __cxa_rethrow) __cxa_rethrow();
}

extern "C" {
void __wrap__ZNSt3__28ios_base33__set_badbit_and_consider_rethrowEv(std::ios_base *stream) { set(stream, std::ios_base::badbit); }
void __wrap__ZNSt3__28ios_base34__set_failbit_and_consider_rethrowEv(std::ios_base *stream) { set(stream, std::ios_base::failbit); }
}
