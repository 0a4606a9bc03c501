// What programs in C++ do: strings, containers, streams, virtual calls, exceptions, recursion, memory that grows. Prints the same wherever it runs.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct Shape {
  virtual double area(double size) const = 0;
  virtual ~Shape() = default;
};
struct Circle : Shape {
  double area(double size) const override { return M_PI * size * size; }
};
struct Square : Shape {
  double area(double size) const override { return size * size; }
};

struct Counted {
  static int alive;
  Counted() { alive++; }
  ~Counted() { alive--; }
};
int Counted::alive = 0;

static int deeper(int depth, int fails) {
  Counted counted;
  if (depth == fails) throw std::runtime_error("at " + std::to_string(depth));
  return depth == 0 ? 0 : 1 + deeper(depth - 1, fails);
}

static long fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

int main(int argc, char **argv) {
  int count = argc > 1 ? std::atoi(argv[1]) : 100000;
  std::map<std::string, int> words;
  for (int i = 0; i < count; i++) words[std::to_string(i % 977)]++;
  std::cout << words.size() << " words, " << words["5"] << " times 5\n";

  std::vector<double> numbers;
  unsigned random = 1;
  for (int i = 0; i < 20 * count; i++) numbers.push_back((random = random * 1664525u + 1013904223u) / 4294967296.0);
  std::sort(numbers.begin(), numbers.end());
  std::printf("%.9f in the middle\n", numbers[numbers.size() / 2]);

  std::vector<std::unique_ptr<Shape>> shapes;
  shapes.push_back(std::make_unique<Circle>());
  shapes.push_back(std::make_unique<Square>());
  double area = 0;
  for (int i = 0; i < 10 * count; i++) area += shapes[i & 1]->area(i * 1e-3);
  std::printf("area %.6f, fibonacci %ld\n", area, fibonacci(27));

  int caught = 0, sum = 0;
  for (int i = 0; i < count / 10; i++) {
    try {
      sum += deeper(20, i % 30);
    } catch (const std::exception &failure) {
      caught += static_cast<int>(std::string(failure.what()).size());
    }
  }
  std::printf("caught %d, sum %d, alive %d\n", caught, sum, Counted::alive);

  std::string line;
  while (std::getline(std::cin, line)) std::cout << "read " << line << std::endl;
  return 5;
}
