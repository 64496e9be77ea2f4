// The floor under a signaling server: epoll, one read and one write a message, and nothing that a
// server needs beside it. No Redis, no checks, no bounds, no heartbeats, no errors: what it cannot
// send at once ends the connection. `floor PORT` serves what the load generator asks for.
//
// Thread: the only one.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/bench/socketio.h"
#include "tests/bench/web_socket.h"

namespace bench {
namespace {

struct Peer;
using Rooms = std::unordered_map<std::string, std::vector<Peer*>>;
using Room = Rooms::value_type;  // its id and who is in it

struct Peer {
  int fd = -1;
  bool frames = false;  // it speaks WebSocket by now
  Room* room = nullptr;
  std::string id;
  std::string received;  // what is not complete
};

std::string_view between(std::string_view text, std::string_view begin, char end) {
  const size_t at = text.find(begin);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + begin.size());
  return text.substr(0, text.find(end));
}

// RFC 6455, section 4.2.2.
std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> encoded{};
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), SHA_DIGEST_LENGTH);
  return {encoded.begin(), encoded.begin() + size};
}

class Floor {
 public:
  explicit Floor(uint16_t port) : epoll_(epoll_create1(0)), scratch_(size_t{1} << 16, '\0') {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, SOMAXCONN) != 0) {
      std::perror("floor");
      std::exit(1);
    }
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_all();
        } else if (const auto& peer = peers_[static_cast<size_t>(fd)]) {
          receive(*peer);
        }
      }
    }
  }

 private:
  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    for (int fd = 0; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (static_cast<size_t>(fd) >= peers_.size()) peers_.resize(static_cast<size_t>(fd) * 2);
      peers_[static_cast<size_t>(fd)] = std::make_unique<Peer>();
      peers_[static_cast<size_t>(fd)]->fd = fd;
      watch(fd);
    }
  }

  void receive(Peer& peer) {
    const int fd = peer.fd;
    const ssize_t size = recv(fd, scratch_.data(), scratch_.size(), 0);
    if (size <= 0) return drop(peer);
    if (peer.received.empty()) {
      const size_t all = static_cast<size_t>(size);
      const size_t consumed = take(peer, scratch_.data(), all);
      if (peers_[static_cast<size_t>(fd)] && consumed < all) {
        peer.received.assign(scratch_.data() + consumed, all - consumed);
      }
      return;
    }
    peer.received.append(scratch_.data(), static_cast<size_t>(size));
    std::string whole = std::move(peer.received);
    const size_t consumed = take(peer, whole.data(), whole.size());
    if (peers_[static_cast<size_t>(fd)]) peer.received = whole.substr(consumed);
  }

  size_t take(Peer& peer, char* data, size_t size) {
    const int fd = peer.fd;
    size_t consumed = 0;
    while (peers_[static_cast<size_t>(fd)]) {
      const size_t taken = peer.frames ? take_frame(peer, data + consumed, size - consumed)
                                       : take_request(peer, {data + consumed, size - consumed});
      if (taken == 0) break;
      consumed += taken;
    }
    return consumed;
  }

  size_t take_request(Peer& peer, std::string_view bytes) {
    const size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view head = bytes.substr(0, end + 2);
    if (head.starts_with("GET ")) {
      peer.frames = true;
      peer.id = std::to_string(peer.fd) + '-' + std::to_string(++ids_);
      by_id_[peer.id] = &peer;
      out_ =
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: ";
      out_ += accept_key(between(head, "Sec-WebSocket-Key: ", '\r')) + "\r\n\r\n";
      add_frame(Opcode::kText, {R"(0{"sid":")", peer.id,
                                R"(","upgrades":[],"pingInterval":25000,"pingTimeout":20000,)"
                                R"("maxPayload":1000000})"});
      flush(peer);
      return end + 4;
    }
    const std::string_view text = between(head, "Content-Length: ", '\r');
    size_t length = 0;
    std::from_chars(text.data(), text.data() + text.size(), length);
    if (bytes.size() < end + 4 + length) return 0;
    answer(peer, head, bytes.substr(end + 4, length));
    return end + 4 + length;
  }

  void answer(Peer& peer, std::string_view head, std::string_view body) {
    const std::string room(between(body, R"("roomId":")", '"'));
    std::string text = R"({"success":true})";
    if (head.starts_with("POST /api/create_room")) {
      rooms_[room];
    } else if (head.starts_with("POST /api/check_room")) {
      text = rooms_.contains(room) ? R"({"available":false})" : R"({"available":true})";
    } else if (const auto found = by_id_.find(std::string(between(body, R"("socketId":")", '"')));
               found != by_id_.end()) {
      leave(*found->second, true);
    }
    out_ = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(text.size()) + "\r\n\r\n" + text;
    flush(peer);
  }

  size_t take_frame(Peer& peer, char* data, size_t size) {
    const auto frame = parse_frame({data, size});
    if (!frame) return 0;
    char* payload = data + (frame->payload.data() - data);
    apply_mask(payload, frame->payload.size(), frame->mask);
    if (frame->opcode == Opcode::kClose) {
      add_frame(Opcode::kClose, {frame->payload});
      flush(peer);
      drop(peer);
    } else if (frame->opcode == Opcode::kText) {
      take_packet(peer, frame->payload);
    }
    return frame->size;
  }

  void take_packet(Peer& peer, std::string_view packet) {
    if (packet == "40") {
      send(peer, {R"(40{"sid":")", peer.id, R"("})"});
    } else if (packet.starts_with(R"(42["join")")) {
      join(peer, std::string(between(packet, R"("roomId":")", '"')));
    } else if (packet.starts_with("42")) {
      const std::string_view to = between(packet, R"("peerId":")", '"');
      const auto found = by_id_.find(std::string(to));
      if (found == by_id_.end()) return;
      const auto begin = static_cast<size_t>(to.data() - packet.data());
      send(*found->second, {packet.substr(0, begin), peer.id, packet.substr(begin + to.size())});
    }
  }

  void join(Peer& peer, const std::string& name) {
    Room& room = *rooms_.try_emplace(name).first;
    peer.room = &room;
    room.second.push_back(&peer);
    send(peer, {R"(42["joinResponse",{"success":true,"roomId":")", name, R"("}])"});
    tell(room, peer, "ready");
  }

  void tell(const Room& room, const Peer& of, std::string_view event) {
    for (Peer* each : room.second) {
      if (each != &of) send(*each, {R"(42[")", event, R"(",{"peerId":")", of.id, R"("}])"});
    }
  }

  void leave(Peer& peer, bool tell_itself) {
    if (peer.room == nullptr) return;
    Room& room = *std::exchange(peer.room, nullptr);
    std::erase(room.second, &peer);
    tell(room, peer, "peer-disconnected");
    if (tell_itself) send(peer, {R"(42["peer-disconnected",{"peerId":")", peer.id, R"("}])"});
    if (room.second.empty()) rooms_.erase(room.first);
  }

  void drop(Peer& peer) {
    leave(peer, false);
    by_id_.erase(peer.id);
    const int fd = peer.fd;
    peers_[static_cast<size_t>(fd)].reset();
    close(fd);
  }

  void send(Peer& peer, std::initializer_list<std::string_view> packet) {
    add_frame(Opcode::kText, packet);
    flush(peer);
  }

  void add_frame(Opcode opcode, std::initializer_list<std::string_view> payload) {
    size_t size = 0;
    for (const std::string_view part : payload) size += part.size();
    append_head(out_, opcode, size, false);
    for (const std::string_view part : payload) out_.append(part);
  }

  void flush(Peer& peer) {
    const ssize_t sent = ::send(peer.fd, out_.data(), out_.size(), MSG_NOSIGNAL);
    // Its end will be read.
    if (sent != static_cast<ssize_t>(out_.size())) shutdown(peer.fd, SHUT_RDWR);
    out_.clear();
  }

  const int epoll_;
  int listener_;
  std::string scratch_;
  std::string out_;
  std::vector<std::unique_ptr<Peer>> peers_ = std::vector<std::unique_ptr<Peer>>(64);  // by fd
  std::unordered_map<std::string, Peer*> by_id_;
  Rooms rooms_;
  uint64_t ids_ = 0;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: floor PORT\n", stderr);
    return 2;
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  bench::Floor(static_cast<uint16_t>(std::atoi(argv[1]))).run();
}
