/* Which handler takes an exception. Compiled code that has caught one puts its landing pad's number and its function's table of
   handlers into __wasm_lpad_context, calls _Unwind_CallPersonality and finds the handler's number there; 0 means none: it throws on. */
#include "exceptions.h"
#include <stdint.h>

/* The last function of libc++abi's type_info classes, behind std::type_info's destructors. */
namespace __cxxabiv1 {
class __shim_type_info : public std::type_info {
public:
  ~__shim_type_info() override;
  virtual void noop1() const;
  virtual void noop2() const;
  virtual bool can_catch(const __shim_type_info *thrown, void *&object) const = 0;
};
} // namespace __cxxabiv1

bool catches(const std::type_info *handler, const std::type_info *thrown, void *&object) {
  using __cxxabiv1::__shim_type_info;
  void *seen = object;
  if (!static_cast<const __shim_type_info *>(handler)->can_catch(static_cast<const __shim_type_info *>(thrown), seen)) return false;
  object = seen;
  return true;
}

/* Where the program's one kind of exception is defined: compiled code only refers to it. */
__asm__(".globl __cpp_exception\n.tagtype __cpp_exception i32\n__cpp_exception:\n");

static uintptr_t read_unsigned(const uint8_t *&at) {
  uintptr_t value = 0;
  for (int shift = 0;; shift += 7) {
    const uint8_t byte = *at++;
    value |= static_cast<uintptr_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

static intptr_t read_signed(const uint8_t *&at) {
  const uint8_t *first = at;
  const uintptr_t value = read_unsigned(at);
  const int bits = 7 * static_cast<int>(at - first);
  const bool negative = at[-1] & 0x40;
  return static_cast<intptr_t>(negative && bits < 32 ? value | (~uintptr_t{0} << bits) : value);
}

/* The table (LSDA): two encodings, of which this compiler uses one each; where the types end; the landing pads' (number, first
   action + 1) pairs with their length before; the actions as (type's number, way to the next from here) pairs; the types, counted backwards
   from their end. A type without address is `...`; number 0 is a cleanup; exception specifications (negative) are not emitted here. */
static uintptr_t handler_for(const uint8_t *table, uintptr_t landing_pad, Throwing *throwing) {
  const uint8_t *at = table + 2;
  const uintptr_t types_offset = read_unsigned(at);
  auto *types_end = reinterpret_cast<const std::type_info *const *>(at + types_offset);
  at++; // the encoding of the pairs
  const uintptr_t pairs_bytes = read_unsigned(at);
  const uint8_t *actions = at + pairs_bytes;
  for (uintptr_t pad = 0; pad < landing_pad; pad++) read_unsigned(at), read_unsigned(at);
  read_unsigned(at);
  const uintptr_t action = read_unsigned(at);
  if (action == 0) return 0;
  for (at = actions + action - 1;;) {
    const intptr_t number = read_signed(at);
    if (number > 0) {
      const std::type_info *type = types_end[-number];
      void *object = throwing->exception->object();
      if (!type || catches(type, throwing->exception->type, object)) {
        throwing->caught = object;
        return static_cast<uintptr_t>(number);
      }
    }
    const uint8_t *here = at;
    const intptr_t way = read_signed(at);
    if (way == 0) return 0;
    at = here + way;
  }
}

extern "C" {
struct {
  uintptr_t landing_pad;
  const uint8_t *table;
  uintptr_t handler;
} __wasm_lpad_context;

int _Unwind_CallPersonality(void *throwing) {
  auto &context = __wasm_lpad_context;
  context.handler = handler_for(context.table, context.landing_pad, static_cast<Throwing *>(throwing));
  return 0;
}
}
