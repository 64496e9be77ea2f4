#include "engine/core/json_document.h"

#include <cjson/cJSON.h>

#include <memory>
#include <new>

namespace signalbox {
namespace {

// cJSON reports exhausted memory by a null pointer.
cJSON* made(cJSON* node) {
  if (node == nullptr) throw std::bad_alloc();
  return node;
}

cJSON* node_of(void* node) {
  return static_cast<cJSON*>(node);
}

}  // namespace

JsonObject& JsonObject::set(std::string_view name, std::string_view value) {
  made(cJSON_AddStringToObject(node_of(node_), std::string(name).c_str(),
                               std::string(value).c_str()));
  return *this;
}

JsonObject& JsonObject::set(std::string_view name, std::span<const std::string> values) {
  cJSON* const array = made(cJSON_AddArrayToObject(node_of(node_), std::string(name).c_str()));
  for (const std::string& value : values) {
    cJSON_AddItemToArray(array, made(cJSON_CreateString(value.c_str())));
  }
  return *this;
}

JsonObject& JsonObject::set(std::string_view name, double value) {
  made(cJSON_AddNumberToObject(node_of(node_), std::string(name).c_str(), value));
  return *this;
}

// For what cJSON would press into a double.
JsonObject& JsonObject::set_raw(std::string_view name, const std::string& json) {
  made(cJSON_AddRawToObject(node_of(node_), std::string(name).c_str(), json.c_str()));
  return *this;
}

JsonObject JsonObject::add_object(std::string_view name) {
  return JsonObject(made(cJSON_AddObjectToObject(node_of(node_), std::string(name).c_str())));
}

JsonDocument::JsonDocument() : JsonObject(made(cJSON_CreateObject())) {}

JsonDocument::~JsonDocument() {
  cJSON_Delete(node_of(node_));
}

std::string JsonDocument::text() const {
  const std::unique_ptr<char, void (*)(void*)> printed(cJSON_PrintUnformatted(node_of(node_)),
                                                       cJSON_free);
  if (printed == nullptr) throw std::bad_alloc();
  return printed.get();
}

}  // namespace signalbox
