// A small JSON document, built member by member: for answers that have a structure, such as
// /health/detailed. Payloads of clients never pass through here; see core/json.h.
//
// Thread: one at a time.
// Owner: the JsonDocument owns the whole tree; a JsonObject is a handle into it and must not
// outlive it.
//
// Names and strings are UTF-8 and end at a NUL. json_document.cpp is the only place that knows
// cJSON.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace signalbox {

// An object in a document. Members keep the order in which they are set; a name is set once. The
// setters return the object itself, to be chained, and throw std::bad_alloc.
class JsonObject {
 public:
  JsonObject& set(std::string_view name, std::string_view value);
  JsonObject& set(std::string_view name, const char* value) {
    return set(name, std::string_view(value));
  }
  JsonObject& set(std::string_view name, std::span<const std::string> values);
  JsonObject& set(std::string_view name, std::integral auto value) {
    if constexpr (std::same_as<decltype(value), bool>) {
      return set_raw(name, value ? "true" : "false");
    } else {
      return set_raw(name, std::to_string(value));
    }
  }
  // A number that is not finite becomes null.
  JsonObject& set(std::string_view name, double value);

  // Adds an empty object and returns it.
  JsonObject add_object(std::string_view name);

 protected:
  explicit JsonObject(void* node) : node_(node) {}
  JsonObject& set_raw(std::string_view name, const std::string& json);

  void* node_;  // cJSON*
};

class JsonDocument : public JsonObject {
 public:
  // An empty object.
  JsonDocument();
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // The document as JSON text without white space.
  std::string text() const;
};

}  // namespace signalbox
