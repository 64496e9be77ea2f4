#include "engine/net/port_group.h"

#include <utility>

namespace signalbox::net {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static_assert(kDigits.size() == PortGroup::kMostPlaces);

}  // namespace

Status PortGroup::add_place(size_t& place) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (sealed_) return {ErrorCode::kState, "an engine of this port has begun to listen"};
  if (places_ == kMostPlaces) {
    return {ErrorCode::kInvalid,
            std::to_string(kMostPlaces) + " engines share this port, and no more can"};
  }
  place = places_++;
  return {};
}

void PortGroup::seal() {
  const std::lock_guard<std::mutex> lock(mutex_);
  sealed_ = true;
}

bool PortGroup::sealed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return sealed_;
}

Status PortGroup::listen(const Options& options, std::shared_ptr<const ListeningSocket>& socket) {
  const std::lock_guard<std::mutex> lock(mutex_);
  socket = socket_.lock();
  if (socket) return {};
  const Status status = ListeningSocket::open(options, socket);
  socket_ = socket;
  return status;
}

void PortGroup::enter(size_t place, Loop& loop, Server& server) {
  const std::lock_guard<std::mutex> lock(mutex_);
  at_[place].loop = &loop;
  at_[place].server = &server;
  at_[place].takes_new = true;
}

void PortGroup::leave(size_t place) {
  const std::lock_guard<std::mutex> lock(mutex_);
  at_[place].takes_new = false;
  at_[place].server = nullptr;
}

bool PortGroup::post(size_t place, std::function<void(Server&)> task) {
  Member& to = at_[place];
  // Kept until the lock is given back: a task that is let go may post in its turn.
  const auto kept = std::make_shared<std::function<void(Server&)>>(std::move(task));
  const std::lock_guard<std::mutex> lock(mutex_);
  // The loop outlives the server's stay here.
  return to.server != nullptr && to.loop->post([&to, kept] {
    if (Server* server = to.server) (*kept)(*server);  // it leaves on this thread
  });
}

std::string PortGroup::id_prefix(size_t place) const {
  return alone() ? std::string() : std::string(1, kDigits[place]);
}

std::optional<size_t> PortGroup::elsewhere(size_t here, std::string_view id) const {
  if (alone() || id.empty()) return std::nullopt;
  const size_t place = kDigits.find(id.front());
  if (place >= places_ || place == here || at_[place].server == nullptr) return std::nullopt;
  return place;
}

size_t PortGroup::least_busy(size_t here) const {
  const auto load = [this](size_t place) {
    return at_[place].connections.load() + at_[place].sessions.load();
  };
  size_t best = here;
  size_t least = at_[here].takes_new ? load(here) : SIZE_MAX;
  for (size_t place = 0; place < places_; ++place) {
    if (!at_[place].takes_new || load(place) >= least) continue;
    best = place;
    least = load(place);
  }
  return best;
}

bool PortGroup::add_connection(size_t limit) {
  if (connections_.fetch_add(1) < limit) return true;
  --connections_;
  return false;
}

size_t PortGroup::waiting() const {
  size_t all = 0;
  for (size_t place = 0; place < places_; ++place) all += at_[place].waiting;
  return all;
}

size_t PortGroup::longest_line(size_t here) const {
  size_t longest = here;
  for (size_t place = 0; place < places_; ++place) {
    if (at_[place].waiting > at_[longest].waiting) longest = place;
  }
  return longest;
}

bool PortGroup::others_drain(size_t here) const {
  for (size_t place = 0; place < places_; ++place) {
    const Member& member = at_[place];
    if (place != here && member.server != nullptr && !member.takes_new && member.sessions > 0) {
      return true;
    }
  }
  return false;
}

void PortGroup::add_session(size_t place) {
  ++sessions_;
  ++at_[place].sessions;
}

void PortGroup::remove_sessions(size_t place, size_t count) {
  sessions_ -= count;
  at_[place].sessions -= count;
}

}  // namespace signalbox::net
