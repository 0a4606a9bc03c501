/* The language's side of C++ exceptions, every line of output the same with any conforming compiler. */
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

struct Trace {
  const char *name;
  explicit Trace(const char *text) : name(text) { std::printf("  +%s\n", name); }
  ~Trace() { std::printf("  -%s (%d in the air)\n", name, std::uncaught_exceptions()); }
};

struct Base {
  int base = 1;
  virtual ~Base() = default;
  virtual const char *who() const { return "Base"; }
};
struct Left : virtual Base {
  int left = 2;
  const char *who() const override { return "Left"; }
};
struct Right : virtual Base {
  int right = 3;
};
struct Diamond : Left, Right {
  int own = 4;
  const char *who() const override { return "Diamond"; }
};
struct First {
  int first = 10;
};
struct Second {
  int second = 20;
};
struct Both : First, Second {
  int both = 30;
};
struct Twice1 : First {};
struct Twice2 : First {};
struct Ambiguous : Twice1, Twice2 {};
struct Hidden : private First {
  int value() const { return first; }
};
struct Big {
  alignas(16) char text[100];
  double number;
};
struct Counted {
  static int alive;
  int value;
  explicit Counted(int given) : value(given) { alive++; }
  Counted(const Counted &other) : value(other.value) { alive++; }
  ~Counted() { alive--; }
};
int Counted::alive = 0;
enum Colour { RED, GREEN };
enum class Strict : long long { FAR = 1LL << 40 };

static volatile int depth_sink;

__attribute__((noinline)) static void throw_one(int which) {
  static int global = 7;
  switch (which) {
  case 0: throw 42;
  case 1: throw 42u;
  case 2: throw 'c';
  case 3: throw 2.5;
  case 4: throw 1LL << 40;
  case 5: throw "literal";
  case 6: throw GREEN;
  case 7: throw Strict::FAR;
  case 8: throw std::runtime_error("runtime");
  case 9: throw std::out_of_range("range");
  case 10: throw Diamond();
  case 11: throw Both();
  case 12: throw Ambiguous();
  case 13: throw Hidden();
  case 14: throw nullptr;
  case 15: throw &global;
  case 16: throw static_cast<const int *>(&global);
  case 17: { static Both both; throw &both; }
  case 18: { static Diamond diamond; throw &diamond; }
  case 19: throw &throw_one;
  case 20: throw &Both::second;
  case 21: { Big big = {}; big.text[99] = 'z'; big.number = 0.5; throw big; }
  case 22: throw std::string("a string longer than the small buffer holds");
  case 23: { static int array[3] = {5, 6, 7}; throw array; }
  case 24: throw true;
  case 25: throw std::bad_alloc();
  case 26: throw static_cast<void *>(&global);
  case 27: throw std::make_pair(1, 2);
  default: return;
  }
}

static void catch_each(int which) {
  std::printf("%d ", which);
  try {
    throw_one(which);
    std::puts("nothing");
  } catch (int value) {
    std::printf("int %d\n", value);
  } catch (unsigned value) {
    std::printf("unsigned %u\n", value);
  } catch (const char &value) {
    std::printf("char %c\n", value);
  } catch (double value) {
    std::printf("double %g\n", value);
  } catch (long long value) {
    std::printf("long long %lld\n", value);
  } catch (const char *value) {
    std::printf("text %s\n", value);
  } catch (Colour value) {
    std::printf("Colour %d\n", value);
  } catch (Strict value) {
    std::printf("Strict %lld\n", static_cast<long long>(value));
  } catch (std::logic_error &error) {
    std::printf("logic_error %s\n", error.what());
  } catch (const std::exception &error) {
    std::printf("exception %s\n", error.what());
  } catch (const Right &right) {
    std::printf("Right %d of %s, base %d\n", right.right, right.who(), right.base);
  } catch (Second second) {
    std::printf("Second %d\n", second.second);
  } catch (First &first) {
    std::printf("First %d\n", first.first);
  } catch (int *value) {
    std::printf("int * %d\n", value ? *value : -1);
  } catch (const int *value) {
    std::printf("const int * %d\n", *value);
  } catch (Second *second) {
    std::printf("Second * %d\n", second->second);
  } catch (const Base *base) {
    std::printf("const Base * %d %s\n", base->base, base->who());
  } catch (void (*function)(int)) {
    std::printf("function %d\n", function == &throw_one);
  } catch (int Both::*member) {
    Both both;
    std::printf("member %d\n", both.*member);
  } catch (const Big &big) {
    std::printf("Big %c %g\n", big.text[99], big.number);
  } catch (const std::string &text) {
    std::printf("string %s\n", text.c_str());
  } catch (bool value) {
    std::printf("bool %d\n", value);
  } catch (const void *) {
    std::puts("const void *");
  } catch (...) {
    std::puts("something else");
  }
}

static void unwinding() {
  std::puts("unwinding");
  try {
    Trace outer("outer");
    for (int turn = 0; turn < 3; turn++) {
      Trace inner("inner");
      if (turn == 1) throw turn;
    }
  } catch (int value) {
    std::printf("  caught %d\n", value);
  }
}

static int recurse(int depth) {
  Counted counted(depth);
  depth_sink = depth;
  if (depth == 0) throw counted;
  return recurse(depth - 1) + 1;
}

static void deep() {
  try {
    recurse(2000);
  } catch (const Counted &counted) {
    std::printf("deep %d, alive %d\n", counted.value, Counted::alive);
  }
  std::printf("alive %d\n", Counted::alive);
}

static void rethrown() {
  try {
    try {
      try {
        throw Both();
      } catch (Second &second) {
        second.second = 21;
        throw;
      }
    } catch (First &first) {
      first.first = 11;
      throw;
    }
  } catch (const Both &both) {
    std::printf("rethrown %d %d %d\n", both.first, both.second, both.both);
  }
  try {
    try {
      throw 1;
    } catch (...) {
      try {
        throw;
      } catch (int &value) {
        value++;
      }
      throw;
    }
  } catch (int value) {
    std::printf("rethrown within %d\n", value);
  }
}

static void handle_current() {
  try {
    throw;
  } catch (const std::exception &error) {
    std::printf("lippincott %s\n", error.what());
  } catch (int value) {
    std::printf("lippincott %d\n", value);
  }
}

static void nested() {
  try {
    throw std::runtime_error("outer");
  } catch (const std::runtime_error &outer) {
    handle_current();
    try {
      throw 5;
    } catch (int inner) {
      handle_current();
      std::printf("nested %s %d\n", outer.what(), inner);
    }
    handle_current();
    try {
      throw std::logic_error("replaces it");
    } catch (...) {
      try {
        throw Counted(3);
      } catch (const Counted &counted) {
        std::printf("three levels %d %d\n", counted.value, Counted::alive);
      }
    }
  }
  std::printf("alive %d, in the air %d\n", Counted::alive, std::uncaught_exceptions());
}

struct Member {
  Trace trace;
  explicit Member(const char *name, bool fails = false) : trace(name) {
    if (fails) throw std::runtime_error(name);
  }
};
struct Whole : Member {
  Member a, b;
  explicit Whole(bool fails) try : Member("base"), a("a"), b("b", fails) {
    std::puts("  whole");
  } catch (const std::runtime_error &error) {
    std::printf("  constructor's handler: %s\n", error.what());
  }
  ~Whole() { std::puts("  -whole"); }
};

static int guarded(int value) try {
  if (value > 0) throw value;
  return 0;
} catch (int caught) {
  return caught + 100;
}

static void constructors() {
  std::puts("constructors");
  { Whole fine(false); }
  try {
    Whole broken(true);
  } catch (const std::runtime_error &error) {
    std::printf("  thrown again by itself: %s\n", error.what());
  }
  try {
    struct Element {
      Counted counted{0};
      Element() {
        if (Counted::alive == 4) throw 4;
      }
    };
    delete[] new Element[10];
  } catch (int value) {
    std::printf("  array stopped at %d, alive %d\n", value, Counted::alive);
  }
  std::printf("  function-try %d %d\n", guarded(0), guarded(7));
}

struct Noisy {
  ~Noisy() noexcept(false) { throw std::string("from a destructor"); }
};
struct Careful {
  ~Careful() {
    try {
      throw std::uncaught_exceptions();
    } catch (int count) {
      std::printf("  inside the destructor: %d in the air\n", count);
    }
  }
};

static void destructors() {
  try {
    Noisy noisy;
  } catch (const std::string &text) {
    std::printf("destructors %s\n", text.c_str());
  }
  try {
    Careful careful;
    throw 1.5;
  } catch (double value) {
    std::printf("  then %g, %d in the air\n", value, std::uncaught_exceptions());
  }
}

static std::exception_ptr kept;

static void pointers() {
  try {
    throw Counted(9);
  } catch (...) {
    kept = std::current_exception();
  }
  std::printf("pointers alive %d\n", Counted::alive);
  for (int turn = 0; turn < 3; turn++) {
    try {
      std::rethrow_exception(kept);
    } catch (Counted &counted) {
      std::printf("  %d\n", counted.value++);
      try {
        std::rethrow_exception(kept);
      } catch (const Counted &same) {
        std::printf("  the same object: %d\n", &same == &counted);
      }
    }
  }
  try {
    try {
      std::rethrow_exception(kept);
    } catch (...) {
      kept = nullptr;
      std::printf("  alive %d\n", Counted::alive);
      throw;
    }
  } catch (const Counted &counted) {
    std::printf("  last %d\n", counted.value);
  }
  std::printf("  alive %d\n", Counted::alive);
  std::exception_ptr made = std::make_exception_ptr(std::out_of_range("made")), other = made, none;
  std::printf("  %d %d %d\n", made == other, made == none, std::current_exception() == nullptr);
  try {
    std::rethrow_exception(other);
  } catch (const std::logic_error &error) {
    std::printf("  %s\n", error.what());
  }
}

static void print_nested(const std::exception &error, int level = 0) {
  std::printf("  %d: %s\n", level, error.what());
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception &inner) {
    print_nested(inner, level + 1);
  }
}

static void with_nested(int level) {
  try {
    if (level == 0) throw std::runtime_error("root");
    with_nested(level - 1);
  } catch (...) {
    std::throw_with_nested(std::runtime_error("level " + std::to_string(level)));
  }
}

struct Probe {
  int before = std::uncaught_exceptions();
  ~Probe() { std::printf("  left by an exception: %d\n", std::uncaught_exceptions() > before); }
};

static void through(void (*function)(int), int value) noexcept(false) {
  Trace trace("through");
  function(value);
}

static int refuse_seven(const void *left, const void *right) {
  const int a = *static_cast<const int *>(left), b = *static_cast<const int *>(right);
  if (a == 7 || b == 7) throw std::string("seven");
  return a - b;
}

static int leaving_handlers() {
  for (int turn = 0;; turn++) {
    try {
      if (turn == 3) throw turn;
      if (turn == 6) throw 1.5;
      if (turn == 8) throw 'x';
    } catch (int) {
      continue;
    } catch (double) {
      if (turn > 6) break;
    } catch (char) {
      return turn;
    }
  }
  return -1;
}

int main() {
  for (int which = 0; which < 29; which++) catch_each(which);
  unwinding();
  deep();
  rethrown();
  nested();
  constructors();
  destructors();
  pointers();
  try {
    with_nested(2);
  } catch (const std::exception &error) {
    print_nested(error);
  }
  try {
    { Probe fine; }
    Probe probe;
    through([](int value) { throw value; }, 8);
  } catch (int value) {
    std::printf("through a pointer %d\n", value);
  }
  try {
    int values[] = {3, 7, 1};
    std::qsort(values, 3, sizeof values[0], refuse_seven);
  } catch (const std::string &text) {
    std::printf("through the C library: %s\n", text.c_str());
  }
  std::printf("leaving handlers %d, in the air %d\n", leaving_handlers(), std::uncaught_exceptions());
  int total = 0;
  for (int turn = 0; turn < 20000; turn++) {
    try {
      if (turn % 3 == 0) throw Counted(turn);
      if (turn % 3 == 1) throw turn;
      total++;
    } catch (const Counted &) {
      continue;
    } catch (int value) {
      total += value % 2;
    }
  }
  std::printf("many %d, alive %d, in the air %d\n", total, Counted::alive, std::uncaught_exceptions());
  return 3;
}
