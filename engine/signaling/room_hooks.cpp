#include "engine/signaling/room_hooks.h"

#include <utility>

namespace signalbox::signaling {

RoomObservers logging(Log& log, RoomObservers next) {
  return {
      .created =
          [&log, next = std::move(next.created)](const std::string& room) {
            log.debug("room created", {{"room", room}});
            if (next) next(room);
          },
      .joined =
          [&log, next = std::move(next.joined)](const std::string& room,
                                                const std::string& socket) {
            log.debug("joined", {{"room", room}, {"socket", socket}});
            if (next) next(room, socket);
          },
      .left =
          [&log, next = std::move(next.left)](const std::string& room, const std::string& socket) {
            log.debug("left", {{"room", room}, {"socket", socket}});
            if (next) next(room, socket);
          },
      .refused =
          [&log, next = std::move(next.refused)](const std::string& room, const std::string& socket,
                                                 const std::string& why) {
            log.debug("join refused", {{"room", room}, {"socket", socket}, {"why", why}});
            if (next) next(room, socket, why);
          },
  };
}

}  // namespace signalbox::signaling
