// The JSON scan against cJSON: both accept a text or both refuse it, and what they find is the
// same. Where cJSON 1.7.15 does otherwise than RFC 8259, or has bounds of its own,
// json_differences.h tells.
#include <cjson/cJSON.h>

#include <array>
#include <memory>
#include <span>
#include <string>

#include "engine/core/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_differences.h"

using namespace signalbox::json;

namespace {

using Tree = std::unique_ptr<cJSON, decltype(&cJSON_Delete)>;

// With its terminating NUL: of a text that ends with its length cJSON takes the last bracket for
// two ("[[]").
Tree parse(std::string_view text) {
  const std::string terminated(text);
  return {cJSON_ParseWithLengthOpts(terminated.c_str(), terminated.size() + 1, nullptr, 1),
          &cJSON_Delete};
}

std::string printed(const cJSON* tree) {
  const std::unique_ptr<char, decltype(&cJSON_free)> text(cJSON_PrintUnformatted(tree),
                                                          &cJSON_free);
  return text.get();
}

// In an array, which may be one level too many, an object has the same members.
void check_found_without_scan(std::string_view object, std::span<const Member> expected) {
  const std::string array = "[0," + std::string(object) + "]";
  ScannedObject second;
  if (!scan_array(array, {}, &second)) return;
  std::array<Member, 4> found;
  for (size_t i = 0; i < found.size(); ++i) found[i].name = expected[i].name;
  CHECK(second.text == object);
  find_members(second, found);
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].value.type == expected[i].value.type);
    CHECK(found[i].value.text == expected[i].value.text);
  }
}

void check_same(const Value& ours, const cJSON* theirs) {
  CHECK(ours.present() == (theirs != nullptr));
  if (theirs == nullptr) return;
  switch (ours.type) {
    case Type::kNone:
      break;
    case Type::kNull:
      return CHECK(cJSON_IsNull(theirs));
    case Type::kBoolean:
      return CHECK(cJSON_IsBool(theirs) && (ours.text == "true") == (cJSON_IsTrue(theirs) != 0));
    case Type::kNumber:
      return CHECK(cJSON_IsNumber(theirs) && printed(parse(ours.text).get()) == printed(theirs));
    case Type::kString: {
      std::string text;
      CHECK(cJSON_IsString(theirs) && decode_string(ours.text, text));
      return CHECK(text == theirs->valuestring);
    }
    case Type::kArray: {
      CHECK(cJSON_IsArray(theirs));
      std::array<Value, 4> elements;
      const auto count = scan_array(ours.text, elements);
      CHECK(count == static_cast<size_t>(cJSON_GetArraySize(theirs)));
      for (size_t i = 0; i < std::min(*count, elements.size()); ++i) {
        check_same(elements[i], cJSON_GetArrayItem(theirs, static_cast<int>(i)));
      }
      return;
    }
    case Type::kObject: {
      CHECK(cJSON_IsObject(theirs));
      std::array<Member, 4> members = {{{"a", {}}, {"roomId", {}}, {"", {}}, {"\xc3\xa9", {}}}};
      CHECK(scan_object(ours.text, members));
      check_found_without_scan(ours.text, members);
      for (const Member& member : members) {
        const cJSON* last = nullptr;
        for (const cJSON* each = theirs->child; each != nullptr; each = each->next) {
          if (each->string == member.name) last = each;
        }
        check_same(member.value, last);
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const Value ours = scan_document(text);
  const fuzz::Differences differences(text);
  // RFC 8259 has no such texts, or we have a bound.
  if (differences.cjson_is_lenient || differences.deeper_than(kMaxDepth)) CHECK(!ours.present());
  if (!differences.any(kMaxDepth)) check_same(ours, parse(text).get());

  size_t end = 0;
  if (const Value value = scan_value(text, &end); value.present()) {
    CHECK(end <= size && text.substr(0, end).ends_with(value.text));
    CHECK(scan_document(value.text).type == value.type);
  }
  std::string quoted;
  std::string decoded;
  append_string(quoted, text);
  CHECK(decode_string(quoted, decoded) && decoded == text);
  return 0;
}
