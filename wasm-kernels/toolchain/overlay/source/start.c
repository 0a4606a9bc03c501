/* The start of a C++ program. As wasi-libc's, except that what the program throws and nobody catches ends it in std::terminate:
   before it ran, in main or in the destructors of its static objects. */
#include <wasi/api.h>

void __wasi_init_tp(void);
void __wasm_call_ctors(void);
void __wasm_call_dtors(void);
int __main_void(void);
/* In exceptions.cpp, and so in the program only when that can throw. */
__attribute__((weak)) void nightshift_guard(void (*run)(void));

static int status;

static void run(void) {
  __wasm_call_ctors();
  status = __main_void();
  __wasm_call_dtors();
}

__attribute__((export_name("_start"))) void _start(void) {
  __wasi_init_tp();
  if (nightshift_guard) nightshift_guard(run);
  else run();
  if (status != 0) __wasi_proc_exit((unsigned)status);
}
