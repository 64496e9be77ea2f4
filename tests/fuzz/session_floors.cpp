#include "tests/fuzz/session_floors.h"

#include "engine/socketio/packet.h"
#include "tests/fuzz/fuzz.h"

using namespace signalbox;

namespace fuzz {
namespace {

constexpr uint64_t kAckTimeoutMs = 5000;

// Bounds that short inputs reach.
Options small_options() {
  Options options;
  options.cors_origins = {"https://example.org"};
  options.engineio_max_payload = 2000;
  options.engineio_max_buffered = 3000;
  options.http_max_body = 2000;
  options.limits_connections = 6;
  options.limits_packet_count = 20;
  options.node_max_buffered = 3000;
  options.socketio_max_attachments = 3;
  return options;
}

}  // namespace

Echo::~Echo() {
  CHECK(connected_ == 0 && unanswered_ == 0);
}

void Echo::admit() {
  for (const auto& connecting : std::exchange(waiting_, {})) connecting->accept();
}

void Echo::on_connecting(const std::shared_ptr<socketio::Connecting>& connecting) {
  if (connecting->auth().find("later") != std::string::npos) {
    waiting_.push_back(connecting);
  } else if (connecting->auth().find("no") != std::string::npos) {
    connecting->refuse("no", connecting->auth());
  } else {
    connecting->accept();
  }
}

void Echo::on_connect(socketio::Socket& /*socket*/) {
  ++connected_;
}

bool Echo::on_event(socketio::Socket& socket, const socketio::Event& event,
                    std::span<const std::string> attachments, std::optional<uint64_t> ack) {
  if (event.name == "leave") {
    socket.disconnect();
  } else if (event.name == "end") {
    socket.end_session();
  } else if (ack) {
    socket.send(
        socketio::encode_packet(socketio::PacketType::kAck, socket.nsp().name(), ack,
                                "[" + std::string(event.arguments) + "]", attachments.size()),
        attachments);
  } else {
    ++unanswered_;
    const uint64_t id = socketio_.acks().add(
        socket, kAckTimeoutMs, [this](const socketio::AckOutcome&) { --unanswered_; });
    std::string payload = R"(["echo")";
    if (!event.arguments.empty()) payload.append(",").append(event.arguments);
    socket.send(socketio::encode_packet(socketio::PacketType::kEvent, socket.nsp().name(), id,
                                        payload + "]", attachments.size()),
                attachments);
  }
  return true;
}

void Echo::on_disconnect(socketio::Socket& /*socket*/, std::string_view /*reason*/) {
  CHECK(connected_ > 0);
  --connected_;
}

Floors::Floors()
    : options(small_options()),
      log(LogLevel::kDebug, [](LogLevel, const std::string&) {}),
      origins(options.cors_origins),
      service(loop, log, options, counters, std::make_shared<store::Siblings>(), {},
              [this] { return place.group->sessions(); }),
      socketio(loop, log, options, counters, service.neighbours().id()),
      echo(socketio),
      engineio(
          loop, options, origins, counters,
          [this](engineio::Session& session) { return socketio.accept(session); }, place),
      drain(loop, engineio) {
  loop.set_exception_handler(fail_for_exception);
  service.set_namespace(socketio.add_namespace("/", service.application()));
  socketio.add_namespace("/echo", echo);
  service.neighbours().set_listener(
      {.renamed =
           [this](const std::string& id) {
             socketio.set_node_id(id);
             engineio.close_all(engineio::CloseReason::kShutdown);
           },
       .evicted =
           [this](const std::string& room, const std::string& socket) {
             service.application().on_evicted(room, socket);
           },
       .other = {}});
  service.open();
}

}  // namespace fuzz
