#include "tests/bench/client.h"

#include <utility>

#include "tests/bench/http.h"
#include "tests/bench/web_socket.h"

namespace bench {
namespace {

constexpr std::string_view kClosed = "connection closed by the server";
constexpr std::string_view kNormalClosure = "\x03\xe8";

}  // namespace

// Two connections of polling: Client::main_ waits in a GET, `post` sends. `probe` is the WebSocket
// that takes over.
struct Client::Polling {
  Polling(Reactor& reactor, Connection::Listener& listener)
      : post(reactor, listener), probe(std::make_unique<Connection>(reactor, listener)) {}

  Connection post;
  std::unique_ptr<Connection> probe;
  std::string session;
  std::string queued;  // packets that wait for the post under way
  bool polls = false;  // a GET is under way
  bool posts = false;  // a POST is under way
  bool upgrades = false;
  bool probe_frames = false;  // the probe speaks WebSocket by now
  bool probed = false;        // the server answered the probe: no more polls and posts
};

Client::Client(World& world, Listener& listener, std::string address, Node node)
    : world_(world),
      listener_(listener),
      address_(address.empty() ? world.address() : std::move(address)),
      node_(node),
      main_(new Connection(world.reactor, *this)) {}

Client::~Client() = default;

void Client::connect(Transport transport, int receive_buffer) {
  close();
  id_.clear();
  pieces_.clear();
  frames_ = leaving_ = over_ = false;
  polling_.reset();
  main_->open(route(), receive_buffer);
  if (transport == Transport::kPolling) {
    polling_.reset(new Polling(world_.reactor, *this));
    poll();
  } else {
    main_->send(web_socket_request(kWebSocketPath, address_));
  }
}

void Client::upgrade() {
  polling_->upgrades = true;
  polling_->probe->open(route());
  polling_->probe->send(web_socket_request(target(kWebSocketPath), address_));
}

void Client::send(std::string_view packet) {
  if (over_) return;
  if (polling_) {
    queue(packet);
  } else {
    send_frame(packet);
  }
}

void Client::leave() {
  if (over_) return;
  leaving_ = true;
  if (polling_) {
    queue("1");
  } else {
    std::string frame;
    append_frame(frame, Opcode::kClose, kNormalClosure, world_.random());
    main_->send(frame);
  }
}

void Client::close() {
  over_ = true;
  main_->close();
  if (!polling_) return;
  polling_->post.close();
  polling_->probe->close();
}

void Client::reset() {
  over_ = true;
  main_->reset();
  if (!polling_) return;
  polling_->post.reset();
  polling_->probe->reset();
}

void Client::on_open(Connection&) {}

size_t Client::on_bytes(Connection& connection, std::string_view bytes) {
  if (polling_ && &connection == polling_->probe.get()) {
    if (polling_->probe_frames) return read_frames(connection, bytes);
  } else if (frames_) {
    return read_frames(connection, bytes);
  }
  const auto response = parse_response(bytes);
  if (!response) return 0;
  if (response->status == 101) {
    (polling_ ? polling_->probe_frames : frames_) = true;
    if (polling_) {
      std::string frame;
      append_frame(frame, Opcode::kText, "2probe", world_.random());
      connection.send(frame);
    }
    return response->size + read_frames(connection, bytes.substr(response->size));
  }
  if (response->status != 200 || !polling_) {
    const char* what = polling_ && !polling_->session.empty() ? "request" : "handshake";
    fail(std::string(what) + " answered " + std::to_string(response->status));
    return response->size;
  }
  if (&connection == &polling_->post) {
    polling_->posts = false;
    if (leaving_ && polling_->queued.empty()) {
      // Its "1" has arrived: the session is over.
      close();
      listener_.on_closed(*this, kClosed);
      return response->size;
    }
    post();
  } else {
    polling_->polls = false;
    on_payload(response->body);
    if (!over_ && polling_) poll();
  }
  if (!over_ && polling_) finish_upgrade();
  return response->size;
}

void Client::on_end(Connection& connection, int error) {
  if (over_) return;
  // Between two requests the server may close what it has kept open for long enough.
  if (polling_ && &connection == &polling_->post && !polling_->posts) return;
  if (error == 0 || id_.empty()) {
    fail(id_.empty() ? "connection ended before it was connected" : kClosed);
  } else {
    fail("connection reset by the server");
  }
}

size_t Client::read_frames(Connection& connection, std::string_view bytes) {
  size_t consumed = 0;
  while (!connection.closed()) {
    const auto frame = parse_frame(bytes.substr(consumed));
    if (!frame) break;
    consumed += frame->size;
    switch (frame->opcode) {
      case Opcode::kClose:
        fail(kClosed);
        break;
      case Opcode::kPing: {
        std::string pong;
        append_frame(pong, Opcode::kPong, frame->payload, world_.random());
        connection.send(pong);
        break;
      }
      case Opcode::kPong:
        break;
      default:
        if (frame->last && pieces_.empty()) {
          on_message(connection, frame->payload);
        } else {
          pieces_.append(frame->payload);
          if (frame->last) on_message(connection, std::exchange(pieces_, {}));
        }
    }
  }
  return consumed;
}

void Client::on_message(Connection& connection, std::string_view message) {
  if (&connection == main_.get()) {
    on_packet(message);
  } else {
    on_probe_packet(message);
  }
}

void Client::on_payload(std::string_view payload) {
  while (!over_) {
    const size_t end = payload.find(kSeparator);
    on_packet(payload.substr(0, end));
    if (end == std::string_view::npos) return;
    payload.remove_prefix(end + 1);
  }
}

void Client::on_packet(std::string_view packet) {
  if (packet.starts_with("42")) {
    const auto event = parse_event(packet);
    if (event) {
      listener_.on_event(*this, *event);
    } else {
      fail("event that cannot be read");
    }
  } else if (packet == "2") {
    ++pings_;
    send("3");
  } else if (packet.starts_with("0")) {
    if (polling_) polling_->session = text_member(packet.substr(1), "sid");
    send("40");
  } else if (packet.starts_with("40")) {
    id_ = text_member(packet.substr(2), "sid");
    listener_.on_connected(*this);
  } else if (packet.starts_with("44")) {
    fail("namespace refused");
  } else if (packet.starts_with("41") || packet == "1") {
    fail("sent away by the server");
  } else if (packet != "6") {
    fail("packet that nobody expects");
  }
}

void Client::on_probe_packet(std::string_view packet) {
  if (packet != "3probe") {
    fail("probe not answered");
    return;
  }
  polling_->probed = true;
  finish_upgrade();
}

void Client::poll() {
  if (polling_->probed || polling_->polls) return;
  if (main_->closed()) main_->open(route());
  polling_->polls = true;
  main_->send(get_request(target(kPollingPath), address_));
}

void Client::post() {
  if (polling_->posts || polling_->probed || polling_->queued.empty()) return;
  if (polling_->session.empty()) return;
  if (polling_->post.closed()) polling_->post.open(route());
  polling_->posts = true;
  polling_->post.send(post_request(target(kPollingPath), address_, "text/plain;charset=UTF-8",
                                   std::exchange(polling_->queued, {})));
}

// When neither a poll nor a post is under way, the WebSocket takes over.
void Client::finish_upgrade() {
  if (!polling_->probed || polling_->polls || polling_->posts) return;
  std::unique_ptr<Polling> polling = std::move(polling_);
  main_->close();
  main_.swap(polling->probe);
  frames_ = true;
  send_frame("5");
  std::string_view queued = polling->queued;
  while (!queued.empty()) {
    const size_t end = queued.find(kSeparator);
    send_frame(queued.substr(0, end));
    queued = end == std::string_view::npos ? std::string_view() : queued.substr(end + 1);
  }
  // It may be one of its connections that is calling.
  world_.reactor.defer([kept = std::shared_ptr<Polling>(std::move(polling))] {});
  listener_.on_upgraded(*this);
}

void Client::queue(std::string_view packet) {
  if (!polling_->queued.empty()) polling_->queued.push_back(kSeparator);
  polling_->queued.append(packet);
  post();
}

void Client::send_frame(std::string_view text) {
  std::string frame;
  frame.reserve(text.size() + 16);
  append_frame(frame, Opcode::kText, text, world_.random());
  main_->send(frame);
}

std::string Client::target(std::string_view path) const {
  std::string text(path);
  if (polling_ && !polling_->session.empty()) text.append("&sid=").append(polling_->session);
  return text;
}

void Client::fail(std::string_view reason) {
  if (over_) return;
  close();
  listener_.on_closed(*this, reason);
}

}  // namespace bench
