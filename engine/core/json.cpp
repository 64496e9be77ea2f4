#include "engine/core/json.h"

#include <cstdint>
#include <cstring>

namespace signalbox::json {
namespace {

constexpr uint64_t each_byte(uint8_t byte) {
  return 0x0101010101010101U * byte;
}

// Whether one of the eight bytes ends a run of plain string characters: a quote, a backslash or a
// control character. (x - 1) & ~x has the top bit of a byte set where the byte was zero; a borrow
// can set it falsely only above a byte where it is set truly.
bool has_special(uint64_t word) {
  constexpr uint64_t kTop = each_byte(0x80);
  const uint64_t quote = word ^ each_byte('"');
  const uint64_t backslash = word ^ each_byte('\\');
  return ((((word - each_byte(0x20)) & ~word) | ((quote - each_byte(1)) & ~quote) |
           ((backslash - each_byte(1)) & ~backslash)) &
          kTop) != 0;
}

bool is_plain(char c) {
  return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20;
}

// The first character of [at, end) that is not plain, or `end`.
const char* skip_plain(const char* at, const char* end) {
  uint64_t word;
  while (end - at >= static_cast<ptrdiff_t>(sizeof word)) {
    std::memcpy(&word, at, sizeof word);
    if (has_special(word)) break;
    at += sizeof word;
  }
  while (at != end && is_plain(*at)) ++at;
  return at;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What a one-letter escape stands for, or 0.
char simple_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

// A recursive descent over the text; kMaxDepth bounds the recursion.
class Scanner {
 public:
  explicit Scanner(std::string_view text)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  // Each reads one thing at the present position and tells whether it was valid.

  bool value(unsigned depth, Value& value) {
    const char* const start = at_;
    value.type = any(depth);
    value.text = {start, static_cast<size_t>(at_ - start)};
    return value.present();
  }

  template <typename OnElement>  // void(const Value&)
  bool array(unsigned depth, OnElement on_element) {
    if (depth >= kMaxDepth || !take('[')) return false;
    space();
    if (take(']')) return true;
    Value element;
    do {
      space();
      if (!value(depth + 1, element)) return false;
      on_element(element);
      space();
    } while (take(','));
    return take(']');
  }

  template <typename OnMember>  // void(std::string_view quoted_name, const Value&)
  bool object(unsigned depth, OnMember on_member) {
    if (depth >= kMaxDepth || !take('{')) return false;
    space();
    if (take('}')) return true;
    Value member;
    do {
      space();
      const char* const start = at_;
      if (!string()) return false;
      const std::string_view name(start, static_cast<size_t>(at_ - start));
      space();
      if (!take(':')) return false;
      space();
      if (!value(depth + 1, member)) return false;
      on_member(name, member);
      space();
    } while (take(','));
    return take('}');
  }

  void space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool at_end() const { return at_ == end_; }
  size_t position() const { return static_cast<size_t>(at_ - begin_); }

 private:
  Type any(unsigned depth) {
    if (at_ == end_) return Type::kNone;
    switch (*at_) {
      case '"':
        return string() ? Type::kString : Type::kNone;
      case '{':
        return object(depth, [](std::string_view, const Value&) {}) ? Type::kObject : Type::kNone;
      case '[':
        return array(depth, [](const Value&) {}) ? Type::kArray : Type::kNone;
      case 't':
        return word("true") ? Type::kBoolean : Type::kNone;
      case 'f':
        return word("false") ? Type::kBoolean : Type::kNone;
      case 'n':
        return word("null") ? Type::kNull : Type::kNone;
      default:
        return number() ? Type::kNumber : Type::kNone;
    }
  }

  bool string() {
    if (!take('"')) return false;
    while (true) {
      at_ = skip_plain(at_, end_);
      if (take('"')) return true;
      if (!take('\\') || !escape()) return false;
    }
  }

  bool escape() {
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c != 'u') return simple_escape(c) != 0;
    for (int i = 0; i < 4; ++i) {
      if (at_ == end_ || hex_value(*at_) < 0) return false;
      ++at_;
    }
    return true;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  bool digits() {
    const char* const start = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != start;
  }

  bool word(std::string_view expected) {
    if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
};

// The code unit of four hexadecimal digits that the scan has found to be such.
uint32_t code_unit(const char* digits) {
  uint32_t unit = 0;
  for (int i = 0; i < 4; ++i) unit = unit << 4 | static_cast<uint32_t>(hex_value(digits[i]));
  return unit;
}

void append_utf8(std::string& out, uint32_t code_point) {
  const auto append = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) {
    append(code_point);
  } else if (code_point < 0x800) {
    append(0xc0 | code_point >> 6);
    append(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    append(0xe0 | code_point >> 12);
    append(0x80 | (code_point >> 6 & 0x3f));
    append(0x80 | (code_point & 0x3f));
  } else {
    append(0xf0 | code_point >> 18);
    append(0x80 | (code_point >> 12 & 0x3f));
    append(0x80 | (code_point >> 6 & 0x3f));
    append(0x80 | (code_point & 0x3f));
  }
}

// Whether the member called `quoted` (a valid JSON string) is the one called `name`.
bool name_is(std::string_view quoted, std::string_view name) {
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (inside.size() < name.size() || inside.size() > 6 * name.size()) return false;  // \u0041
  if (inside.find('\\') == std::string_view::npos) return inside == name;
  std::string decoded;
  return decode_string(quoted, decoded) && decoded == name;
}

}  // namespace

Value scan_value(std::string_view text, size_t* end) {
  Scanner scanner(text);
  scanner.space();
  Value value;
  if (!scanner.value(0, value)) return {};
  *end = scanner.position();
  return value;
}

Value scan_document(std::string_view text) {
  Scanner scanner(text);
  scanner.space();
  Value value;
  if (!scanner.value(0, value)) return {};
  scanner.space();
  return scanner.at_end() ? value : Value{};
}

std::optional<size_t> scan_array(std::string_view text, std::span<Value> elements) {
  Scanner scanner(text);
  scanner.space();
  size_t count = 0;
  const bool valid = scanner.array(0, [&](const Value& element) {
    if (count < elements.size()) elements[count] = element;
    ++count;
  });
  scanner.space();
  if (!valid || !scanner.at_end()) return std::nullopt;
  return count;
}

bool scan_object(std::string_view text, std::span<Member> members) {
  for (Member& member : members) member.value = {};
  Scanner scanner(text);
  scanner.space();
  const bool valid = scanner.object(0, [&](std::string_view name, const Value& value) {
    for (Member& member : members) {
      if (name_is(name, member.name)) member.value = value;
    }
  });
  scanner.space();
  return valid && scanner.at_end();
}

bool decode_string(std::string_view quoted, std::string& out) {
  out.clear();
  Scanner scanner(quoted);
  Value value;
  if (!scanner.value(0, value) || value.type != Type::kString || !scanner.at_end()) return false;

  const char* at = quoted.data() + 1;
  const char* const end = quoted.data() + quoted.size() - 1;
  while (true) {
    const char* const plain = at;
    at = skip_plain(at, end);
    out.append(plain, at);
    if (at == end) return true;
    ++at;  // the backslash
    if (*at != 'u') {
      out += simple_escape(*at++);
      continue;
    }
    uint32_t code_point = code_unit(at + 1);
    at += 5;
    if (code_point >= 0xd800 && code_point < 0xe000) {
      if (code_point >= 0xdc00 || end - at < 6 || at[0] != '\\' || at[1] != 'u') return false;
      const uint32_t low = code_unit(at + 2);
      if (low < 0xdc00 || low >= 0xe000) return false;
      code_point = 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
      at += 6;
    }
    append_utf8(out, code_point);
  }
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    const char* const plain = at;
    at = skip_plain(at, end);
    out.append(plain, at);
    if (at == end) break;
    const char c = *at++;
    out += '\\';
    switch (c) {
      case '"':
      case '\\':
        out += c;
        break;
      case '\b':
        out += 'b';
        break;
      case '\f':
        out += 'f';
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default: {
        constexpr char kDigits[] = "0123456789abcdef";
        out += "u00";
        out += kDigits[c >> 4];
        out += kDigits[c & 15];
      }
    }
  }
  out += '"';
}

}  // namespace signalbox::json
