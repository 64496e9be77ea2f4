// Puts an event packet together in one buffer: the head, then arguments that the caller appends as
// JSON text, then the end.
//
// Thread: a value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace signalbox::socketio {

class EventText {
 public:
  // `reserve`: about how many bytes of arguments will follow.
  EventText(std::string_view nsp, std::string_view name, size_t attachments = 0,
            size_t reserve = 64);

  // Where to append the arguments: JSON values, separated by commas.
  std::string& arguments() { return text_; }

  // The packet; nothing may be appended afterwards.
  const std::string& finish() {
    text_ += ']';
    return text_;
  }

 private:
  std::string text_;
};

}  // namespace signalbox::socketio
