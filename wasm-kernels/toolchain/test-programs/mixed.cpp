/* Exceptions and longjmp in one program: a C part that jumps and calls back into C++ that throws. */
#include "mixed.h"
#include <csetjmp>
#include <cstdio>
#include <stdexcept>
#include <string>

static std::jmp_buf place;

static int callback(int value) {
  if (value == 3) throw std::runtime_error("callback");
  if (value == 4) std::longjmp(place, 44);
  return value * 2;
}

static int both(int value) {
  volatile int state = 1;
  if (int jumped = setjmp(place)) return jumped + state;
  try {
    state = 2;
    return call_through_c(callback, value);
  } catch (const std::runtime_error &error) {
    std::printf("caught %s\n", error.what());
    state = 3;
    std::longjmp(place, 33);
  }
}

int main() {
  for (int value = 1; value < 6; value++) std::printf("%d -> %d\n", value, both(value));
  std::string text;
  try {
    for (int value = 0;; value++) {
      int caught = protected_call(callback, value);
      text += std::to_string(caught) + " ";
    }
  } catch (const std::exception &error) {
    std::printf("%s%s\n", text.c_str(), error.what());
  }
}
