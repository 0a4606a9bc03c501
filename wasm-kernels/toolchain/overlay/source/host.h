/* The host functions of module "nightshift", as the runtime implements them, and the conversion of their results.
   Every one returns a value >= 0, or a negative WASI error number (which is also wasi-libc's errno). */
#ifndef NIGHTSHIFT_HOST_H
#define NIGHTSHIFT_HOST_H

#include <errno.h>

#define NIGHTSHIFT_IMPORT(name) __attribute__((import_module("nightshift"), import_name(name)))

static inline int result_or_errno(int result) {
  if (result >= 0) return result;
  errno = -result;
  return -1;
}

#endif
