// JSON read in place: a strict scan that validates a text (RFC 8259) and hands out slices of it,
// never a tree, so that an opaque payload can be passed on byte for byte. For building small
// documents see core/json_document.h.
//
// Thread: functions without state.
// Owner: slices point into the caller's text.
//
// The scan does not check UTF-8; whoever lets bytes into the process does (core/utf8.h).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace signalbox::json {

enum class Type { kNone, kNull, kBoolean, kNumber, kString, kArray, kObject };

// One value as it stands in the text, without white space around it. kNone: absent.
struct Value {
  Type type = Type::kNone;
  std::string_view text;

  bool present() const { return type != Type::kNone; }
};

// The nesting that is accepted; deeper texts are refused (Node's parser has no such bound, its
// stack has).
inline constexpr unsigned kMaxDepth = 64;

// Validates one value at the beginning of `text` (white space allowed before it) and tells in `end`
// how much of `text` was read, trailing white space not included. kNone when there is no valid
// value.
Value scan_value(std::string_view text, size_t* end);

// Validates the whole of `text` as one value with white space around it.
Value scan_document(std::string_view text);

struct Member {
  std::string_view name;  // what to look for, unescaped
  Value value;            // filled in; kNone when absent
};

// An object that a scan has passed over, and where its first members are: what is looked up in it
// is not read again.
struct ScannedObject {
  static constexpr size_t kNoted = 6;
  std::string_view text;               // empty: there is none
  std::array<Member, kNoted> members;  // with names as they stand in the text, quoted
  size_t count = 0;                    // of all its members
};

// The elements of an array, in order. Stops at `elements.size()`, but validates all; returns how
// many the array has, or nothing when `text` is not one valid array. The second element goes into
// `second`, which must be empty, too, if that is given and it is an object.
std::optional<size_t> scan_array(std::string_view text, std::span<Value> elements,
                                 ScannedObject* second = nullptr);

// Looks up top-level members of an object. Names are compared after unescaping; of a name that
// occurs twice the last counts, as in JSON.parse. False when `text` is not one valid object.
bool scan_object(std::string_view text, std::span<Member> members);

// The same of one that has been scanned.
void find_members(const ScannedObject& object, std::span<Member> members);

// Decodes a string value (quotes included) to UTF-8 into `out`. False when `quoted` is no JSON
// string or holds a lone surrogate, which UTF-8 cannot express.
bool decode_string(std::string_view quoted, std::string& out);

// Appends `text` (UTF-8) as a JSON string with quotes; escapes what RFC 8259 requires.
void append_string(std::string& out, std::string_view text);

}  // namespace signalbox::json
