/* Ways in which an exception ends a program: the first argument says which. */
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

namespace shop {
struct Closed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Plain {};
template <typename T> struct Box {};
} // namespace shop
namespace {
struct Secret {};
} // namespace

static std::string way;

struct Loud {
  const char *text;
  ~Loud() { std::printf("-%s\n", text); }
};
struct Thrower {
  ~Thrower() noexcept(false) { throw 2; }
};
__attribute__((noinline)) static void fail() { throw shop::Closed("until noon"); }
static void promise() noexcept { fail(); }

static void tell_and_leave() {
  try {
    throw;
  } catch (const std::exception &error) {
    std::printf("handler: %s\n", error.what());
  } catch (...) {
    std::puts("handler: something");
  }
  std::exit(4);
}

__attribute__((noinline)) static void leave() noexcept {
  Loud loud{"left by exit"};
  std::exit(5);
}

int main(int count, char **arguments) {
  way = count > 1 ? arguments[1] : "";
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  if (way == "class") fail();
  if (way == "plain") throw shop::Plain();
  if (way == "int") throw 5;
  if (way == "pointer") throw static_cast<const char *>("text");
  if (way == "secret") throw Secret();
  if (way == "template") throw shop::Box<int>();
  if (way == "noexcept") promise();
  if (way == "rethrow") throw;
  if (way == "terminate") std::terminate();
  if (way == "unwinding") {
    try {
      Thrower thrower;
      throw 1;
    } catch (...) {
      std::puts("never");
    }
  }
  if (way == "handler" || way == "handler-noexcept") {
    std::set_terminate(tell_and_leave);
    if (way == "handler") fail();
    promise();
  }
  if (way == "exit") {
    Loud loud{"main"};
    leave();
  }
  std::puts("fine");
}
