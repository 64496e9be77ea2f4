// Servers that share a port, each on a thread of its own: one listening socket, one limit for all
// of them, and the way from each to the others. A server that shares with nobody is a group of one.
//
// Each has a place in the group, counted from 0. A session belongs to the server that opened it,
// and its id begins with that server's place, as a character of base64url, so that whoever gets a
// request knows whose it is. In a group of one ids have no such beginning.
//
// Thread: any. A lock is taken only when a server comes or goes, passes something to another, or
//   counts an address.
// Owner: shared by the engines.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/core/status.h"
#include "engine/net/address_counts.h"
#include "engine/net/listening_socket.h"

namespace signalbox::net {

class Server;

class PortGroup {
 public:
  static constexpr size_t kMostPlaces = 64;

  // A place for one more server. kState once seal() was called, kInvalid when there are
  // kMostPlaces.
  Status add_place(size_t& place);
  // From now on the places are what they are: the first of the servers begins to listen.
  void seal();
  bool alone() const { return places_ == 1; }
  size_t places() const { return places_; }
  bool sealed() const;

  // The group's socket, which the first to ask opens. Errors as ListeningSocket::open().
  Status listen(const Options& options, std::shared_ptr<const ListeningSocket>& socket);

  // The server at `place` can be handed connections and requests from now on; on its thread.
  void enter(size_t place, Loop& loop, Server& server);
  // Connections that may be anybody's are for the others from now on, if there are others.
  void take_no_new(size_t place) { at_[place].takes_new = false; }
  // Nothing more is handed to the server; on its thread. Does nothing when it was not there.
  void leave(size_t place);

  // Runs `task` on the thread of the server at `place`, unless that has left meanwhile. False when
  // it has left, or not come, already now.
  bool post(size_t place, std::function<void(Server& server)> task);

  // What the id of a session begins with that is opened at `place`.
  std::string id_prefix(size_t place) const;
  // Where the session `id` lives: nothing when that is `here`, or nowhere.
  std::optional<size_t> elsewhere(size_t here, std::string_view id) const;
  // Where the least is to be done; `here` when nowhere less than here.
  size_t least_busy(size_t here) const;

  // Counts a connection of the group, unless there are `limit`.
  bool add_connection(size_t limit);
  void remove_connection() { --connections_; }
  // Whose connections there are.
  AddressCounts& addresses() { return addresses_; }
  // Beside that, whose burden it is.
  void add_burden(size_t place) { ++at_[place].connections; }
  void remove_burden(size_t place) { --at_[place].connections; }

  // Those that owe their first request, by where they wait for it; see WaitingLine.
  void add_waiting(size_t place) { ++at_[place].waiting; }
  void remove_waiting(size_t place) { --at_[place].waiting; }
  size_t waiting() const;
  // Where the most of them are; `here` when nowhere more than here.
  size_t longest_line(size_t here) const;

  void add_session(size_t place);
  void remove_sessions(size_t place, size_t count);
  size_t sessions() const { return sessions_; }
  // Whose sessions there are: those on polling have no connection that counts.
  AddressCounts& session_addresses() { return session_addresses_; }
  // Bytes kept for the clients of the group; see KeptBytes.
  void change_kept(size_t before, size_t after) { kept_ += after - before; }
  // Whether `bytes`, counted already, are too many for one client when there may be `most` for all:
  // more than half of what is left, so that the first do not use up what is there for the others.
  // A little is never too many, or who holds what he is not to give back would shut out the rest.
  bool too_many(size_t bytes, size_t most) const {
    constexpr size_t kLittle = 8192;
    const size_t all = kept_;
    return bytes > kLittle && (all >= most || bytes > (most - all) / 2);
  }
  // Whether others that take no new ones any more still have sessions: requests for these may come
  // by anybody's connections.
  bool others_drain(size_t here) const;

 private:
  struct Member {
    std::atomic<Server*> server = nullptr;  // null: it has not come, or has left
    std::atomic<bool> takes_new = false;
    std::atomic<size_t> connections = 0;
    std::atomic<size_t> sessions = 0;
    std::atomic<size_t> waiting = 0;
    Loop* loop = nullptr;  // the server's
  };

  mutable std::mutex mutex_;  // guards what follows but for atomics; `places_` only until seal()
  std::array<Member, kMostPlaces> at_;
  size_t places_ = 1;
  bool sealed_ = false;
  std::weak_ptr<const ListeningSocket> socket_;
  std::atomic<size_t> connections_ = 0;
  std::atomic<size_t> sessions_ = 0;
  AddressCounts addresses_;
  AddressCounts session_addresses_;
  std::atomic<size_t> kept_ = 0;
};

// A server's place; unless told otherwise, in a group of one.
struct Place {
  std::shared_ptr<PortGroup> group = std::make_shared<PortGroup>();
  size_t number = 0;
};

}  // namespace signalbox::net
