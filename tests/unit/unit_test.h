// What every unit test needs: CMocka, and helpers for texts and for random input.
//
// Thread: the test's only one.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>

// Last, because its macros (fail) are names of the standard library.
extern "C" {
#include <cmocka.h>
}

namespace unit_test {

// Compares texts that may hold any byte.
#define assert_text_equal(actual, expected) \
  unit_test::check_text_equal(actual, expected, __FILE__, __LINE__)

inline void check_text_equal(std::string_view actual, std::string_view expected, const char* file,
                             int line) {
  if (actual == expected) return;
  print_error("\"%.*s\"\n  is not the expected\n\"%.*s\"\n", static_cast<int>(actual.size()),
              actual.data(), static_cast<int>(expected.size()), expected.data());
  _fail(file, line);
}

// Fails with the input that a table of inputs stood at.
#define assert_for(input, condition) \
  unit_test::check_for(input, condition, #condition, __FILE__, __LINE__)

inline void check_for(std::string_view input, bool condition, const char* what, const char* file,
                      int line) {
  if (condition) return;
  print_error("for \"%.*s\": %s\n", static_cast<int>(std::min<size_t>(input.size(), 500)),
              input.data(), what);
  _fail(file, line);
}

// A copy of a text with nothing readable behind it: AddressSanitizer sees a read past the end,
// which a std::string's terminating NUL would hide.
class Exact {
 public:
  explicit Exact(std::string_view text) : size_(text.size()), bytes_(new char[text.size()]) {
    std::copy(text.begin(), text.end(), bytes_.get());
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<char[]> bytes_;
};

// A generator whose seed is printed; SEED in the environment repeats a run.
inline std::mt19937 seeded_random() {
  const char* const given = std::getenv("SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                         : std::random_device()();
  print_message("SEED=%u\n", seed);
  return std::mt19937(seed);
}

// A number below `bound`.
inline size_t below(std::mt19937& random, size_t bound) {
  return random() % bound;
}

// Up to `longest` characters drawn from `alphabet`.
inline std::string random_text(std::mt19937& random, size_t longest, std::string_view alphabet) {
  std::string text(below(random, longest + 1), '\0');
  for (char& c : text) c = alphabet[below(random, alphabet.size())];
  return text;
}

inline std::string random_bytes(std::mt19937& random, size_t longest) {
  std::string bytes(below(random, longest + 1), '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xff);
  return bytes;
}

// A text with one character replaced, removed, doubled or inserted.
inline std::string mutated(std::mt19937& random, std::string text, std::string_view alphabet) {
  if (text.empty()) return text;
  const size_t at = below(random, text.size());
  const char c = alphabet[below(random, alphabet.size())];
  switch (below(random, 4)) {
    case 0:
      text[at] = c;
      break;
    case 1:
      text.erase(at, 1);
      break;
    case 2:
      text.insert(at, 1, text[at]);
      break;
    default:
      text.insert(at, 1, c);
  }
  return text;
}

}  // namespace unit_test
