#include "engine/socketio/event_text.h"

#include "engine/core/json.h"
#include "engine/socketio/packet.h"

namespace signalbox::socketio {

EventText::EventText(std::string_view nsp, std::string_view name, size_t attachments,
                     size_t reserve) {
  text_.reserve(nsp.size() + name.size() + reserve + 32);
  text_ += static_cast<char>(attachments == 0 ? PacketType::kEvent : PacketType::kBinaryEvent);
  if (attachments != 0) {
    text_ += std::to_string(attachments);
    text_ += '-';
  }
  if (nsp != "/") {
    text_ += nsp;
    text_ += ',';
  }
  text_ += '[';
  json::append_string(text_, name);
  text_ += ',';
}

}  // namespace signalbox::socketio
