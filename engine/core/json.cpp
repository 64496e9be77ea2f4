#include "engine/core/json.h"

#include <cstdint>

#include "engine/core/byte_block.h"

namespace signalbox::json {
namespace {

bool is_plain(char c) {
  return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20;
}

// The first character of [at, end) that is not plain, or `end`.
const char* skip_plain(const char* at, const char* end) {
  while (end - at >= ByteBlock::kSize) {
    const ptrdiff_t plain = ByteBlock(at).first_special();
    at += plain;
    if (plain != ByteBlock::kSize) return at;
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
constexpr auto kSimpleEscapes = [] {
  std::array<char, 256> escapes{};
  for (const char itself : {'"', '\\', '/'}) escapes[static_cast<unsigned char>(itself)] = itself;
  escapes['b'] = '\b';
  escapes['f'] = '\f';
  escapes['n'] = '\n';
  escapes['r'] = '\r';
  escapes['t'] = '\t';
  return escapes;
}();

char simple_escape(char c) {
  return kSimpleEscapes[static_cast<unsigned char>(c)];
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

  // The same; of an object it notes the members.
  bool value(unsigned depth, Value& value, ScannedObject& scanned) {
    if (at_ == end_ || *at_ != '{') return this->value(depth, value);
    const char* const start = at_;
    const bool valid = object(depth, [&scanned](std::string_view name, const Value& member) {
      if (scanned.count < scanned.kNoted) scanned.members[scanned.count] = {name, member};
      ++scanned.count;
    });
    value = {valid ? Type::kObject : Type::kNone, {start, static_cast<size_t>(at_ - start)}};
    scanned.text = value.text;
    return valid;
  }

  template <typename ReadElement>  // bool(): reads the next
  bool array(unsigned depth, ReadElement read_element) {
    if (depth >= kMaxDepth || !take('[')) return false;
    space();
    if (take(']')) return true;
    do {
      space();
      if (!read_element()) return false;
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
      case '[': {
        Value element;
        return array(depth, [&] { return value(depth + 1, element); }) ? Type::kArray : Type::kNone;
      }
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
      if (!take('\\')) return false;
      do {
        if (!escape()) return false;
      } while (take('\\'));  // the lines of an SDP end in two
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

void clear(std::span<Member> members) {
  for (Member& member : members) member.value = {};
}

// A member of an object, called `quoted`, is what those of `members` look for that have its name.
void fill_in(std::span<Member> members, std::string_view quoted, const Value& value) {
  for (Member& member : members) {
    if (name_is(quoted, member.name)) member.value = value;
  }
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

std::optional<size_t> scan_array(std::string_view text, std::span<Value> elements,
                                 ScannedObject* second) {
  Scanner scanner(text);
  scanner.space();
  size_t count = 0;
  Value element;
  const bool valid = scanner.array(0, [&] {
    const bool noted = count == 1 && second != nullptr;
    if (!(noted ? scanner.value(1, element, *second) : scanner.value(1, element))) return false;
    if (count < elements.size()) elements[count] = element;
    ++count;
    return true;
  });
  scanner.space();
  if (!valid || !scanner.at_end()) return std::nullopt;
  return count;
}

bool scan_object(std::string_view text, std::span<Member> members) {
  clear(members);
  Scanner scanner(text);
  scanner.space();
  const bool valid = scanner.object(
      0, [&](std::string_view name, const Value& value) { fill_in(members, name, value); });
  scanner.space();
  return valid && scanner.at_end();
}

void find_members(const ScannedObject& object, std::span<Member> members) {
  if (object.count > object.kNoted) {
    scan_object(object.text, members);
    return;
  }
  clear(members);
  for (const Member& there : std::span(object.members).first(object.count)) {
    fill_in(members, there.name, there.value);
  }
}

bool decode_string(std::string_view quoted, std::string& out) {
  if (quoted.size() >= 2 && quoted.front() == '"' && quoted.back() == '"') {
    const char* const end = quoted.data() + quoted.size() - 1;
    if (skip_plain(quoted.data() + 1, end) == end) {  // nothing in it is escaped
      out.assign(quoted.data() + 1, end);
      return true;
    }
  }
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
  const char* at = text.data();
  const char* const end = at + text.size();
  if (skip_plain(at, end) == end) {  // nothing in it is to be escaped
    const size_t before = out.size();
    out.resize(before + text.size() + 2, '"');
    text.copy(out.data() + before + 1, text.size());
    return;
  }
  out += '"';
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
