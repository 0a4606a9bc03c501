/* What the standard library throws, caught by its type. The texts of what() are the library's own and not printed. */
#include <any>
#include <bitset>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <locale>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <variant>
#include <vector>

static int left_behind;
struct Witness {
  ~Witness() { left_behind++; }
};

template <typename Function> static void tell(const char *what, Function function) {
  const char *thrown = "nothing";
  try {
    Witness witness;
    function();
  } catch (const std::out_of_range &) {
    thrown = "out_of_range";
  } catch (const std::length_error &) {
    thrown = "length_error";
  } catch (const std::invalid_argument &) {
    thrown = "invalid_argument";
  } catch (const std::bad_alloc &) {
    thrown = "bad_alloc";
  } catch (const std::bad_any_cast &) {
    thrown = "bad_any_cast";
  } catch (const std::bad_cast &) {
    thrown = "bad_cast";
  } catch (const std::bad_typeid &) {
    thrown = "bad_typeid";
  } catch (const std::bad_function_call &) {
    thrown = "bad_function_call";
  } catch (const std::bad_optional_access &) {
    thrown = "bad_optional_access";
  } catch (const std::bad_variant_access &) {
    thrown = "bad_variant_access";
  } catch (const std::bad_weak_ptr &) {
    thrown = "bad_weak_ptr";
  } catch (const std::regex_error &error) {
    thrown = error.code() == std::regex_constants::error_paren ? "regex_error paren" : "regex_error";
  } catch (const std::ios_base::failure &) {
    thrown = "ios_base::failure";
  } catch (const std::system_error &) {
    thrown = "system_error";
  } catch (const std::overflow_error &) {
    thrown = "overflow_error";
  } catch (const std::runtime_error &) {
    thrown = "runtime_error";
  } catch (...) {
    thrown = "something else";
  }
  std::printf("%s: %s\n", what, thrown);
}

struct Shape {
  virtual ~Shape() = default;
};
struct Circle : Shape {};
struct Square : Shape {};

struct Broken {
  friend std::ostream &operator<<(std::ostream &, const Broken &) { throw std::out_of_range("while printing"); }
};

struct Uncommon : std::locale::facet {
  static std::locale::id id;
};
std::locale::id Uncommon::id;

struct Jammed : std::streambuf {
  int overflow(int) override { throw std::bad_function_call(); }
};

static void *volatile made;
static volatile size_t huge = static_cast<size_t>(-1) / 2 + 1000;

int main() {
  Circle circle;
  Shape *nothing = nullptr, *shape = &circle;
  tell("string at", [] { (void)std::string("x").at(9); });
  tell("string substr", [] { (void)std::string("x").substr(2); });
  tell("string insert", [] { std::string("x").insert(5, "y"); });
  tell("string erase", [] { std::string("x").erase(5); });
  tell("string resize", [] { std::string("x").resize(huge * 2 - 3000); });
  tell("string replace", [] { std::string("x").replace(3, 1, "y"); });
  tell("wide string at", [] { (void)std::wstring(L"x").at(9); });
  tell("string_view at", [] { (void)std::string_view("x").at(3); });
  tell("stoi", [] { (void)std::stoi("q"); });
  tell("stoi range", [] { (void)std::stoi("99999999999"); });
  tell("stod", [] { (void)std::stod("q"); });
  tell("stoull", [] { (void)std::stoull(""); });
  tell("vector at", [] { (void)std::vector<int>().at(1); });
  tell("vector reserve", [] { std::vector<long>().reserve(huge); });
  tell("vector<bool> at", [] { (void)std::vector<bool>(3).at(7); });
  tell("map at", [] { (void)std::map<int, int>().at(1); });
  tell("bitset", [] { (void)std::bitset<4>("01x1"); });
  tell("bitset set", [] { std::bitset<4>().set(9); });
  tell("new", [] { made = ::operator new(huge); });
  tell("new[]", [] { made = ::operator new[](huge); });
  tell("new of too many", [] { made = new double[huge]; });
  tell("aligned new", [] { made = ::operator new(huge, std::align_val_t(64)); });
  tell("nothrow new", [] { std::printf("%d ", ::operator new(huge, std::nothrow) == nullptr); });
  tell("new with a handler", [] {
    std::set_new_handler([] { throw std::overflow_error("the handler's own"); });
    made = ::operator new(huge);
  });
  std::set_new_handler(nullptr);
  tell("dynamic_cast", [&] { (void)dynamic_cast<Square &>(*shape); });
  tell("dynamic_cast that fits", [&] { (void)dynamic_cast<Circle &>(*shape); });
  tell("typeid", [&] { (void)typeid(*nothing).name(); });
  tell("function", [] { std::function<void()>()(); });
  tell("optional", [] { (void)std::optional<int>().value(); });
  tell("variant", [] { (void)std::get<int>(std::variant<int, double>(0.5)); });
  tell("any", [] { (void)std::any_cast<int>(std::any(0.5)); });
  tell("weak_ptr", [] { std::shared_ptr<int> strong{std::weak_ptr<int>()}; });
  tell("regex", [] { std::regex unfinished("(a"); });
  tell("regex class", [] { std::regex unknown("[[:nosuch:]]"); });
  tell("facet", [] { (void)std::use_facet<Uncommon>(std::locale::classic()); });
  tell("system_error", [] { throw std::system_error(std::make_error_code(std::errc::io_error), "x"); });
  tell("istream", [] {
    std::istringstream stream("word");
    stream.exceptions(std::ios::failbit);
    int number;
    stream >> number;
  });
  tell("istream at its end", [] {
    std::istringstream stream("");
    stream.exceptions(std::ios::eofbit);
    std::string line;
    std::getline(stream, line);
  });
  tell("exceptions() of a bad stream", [] {
    std::stringstream stream;
    stream.setstate(std::ios::badbit);
    stream.exceptions(std::ios::badbit);
  });
  tell("ifstream", [] {
    std::ifstream stream;
    stream.exceptions(std::ios::failbit);
    stream.open("no such file");
  });
  tell("ostream of something broken", [] { std::ostringstream() << Broken(); });
  tell("ostream whose buffer throws", [] {
    Jammed jammed;
    std::ostream stream(&jammed);
    stream << "x";
    std::printf("%d ", stream.bad());
  });
  tell("the same, asked to throw", [] {
    Jammed jammed;
    std::ostream stream(&jammed);
    stream.exceptions(std::ios::badbit);
    stream << "x";
  });
  tell("a stream that is not asked to", [] {
    std::istringstream stream("word");
    int number = 5;
    stream >> number;
    std::printf("%d %d ", number, stream.fail());
  });
  try {
    throw std::system_error(std::make_error_code(std::errc::permission_denied));
  } catch (const std::system_error &error) {
    std::printf("code: %d\n", error.code() == std::errc::permission_denied);
  }
  std::printf("witnesses %d\n", left_behind);
}
