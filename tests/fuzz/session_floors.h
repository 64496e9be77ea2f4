// The floors from Engine.IO to signaling, wired as engine/node.cpp wires them, without a network
// below and with a Redis that the input answers; and a namespace of a host's, /echo.
//
// Thread: the fuzzer's only one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/core/counters.h"
#include "engine/core/log.h"
#include "engine/core/loop.h"
#include "engine/core/options.h"
#include "engine/engineio/drain.h"
#include "engine/engineio/server.h"
#include "engine/net/origin_policy.h"
#include "engine/signaling/service.h"
#include "engine/socketio/server.h"

namespace fuzz {

// Sends every event back: as its acknowledgement, or as one that asks for an acknowledgement.
class Echo : public signalbox::socketio::NamespaceHandler {
 public:
  explicit Echo(signalbox::socketio::Server& socketio) : socketio_(socketio) {}
  ~Echo() override;
  // Lets in who asked for it with an auth that says "later".
  void admit();

  void on_connecting(const std::shared_ptr<signalbox::socketio::Connecting>& connecting) override;
  void on_connect(signalbox::socketio::Socket& socket) override;
  bool on_event(signalbox::socketio::Socket& socket, const signalbox::socketio::Event& event,
                std::span<const std::string> attachments, std::optional<uint64_t> ack) override;
  void on_disconnect(signalbox::socketio::Socket& socket, std::string_view reason) override;

 private:
  signalbox::socketio::Server& socketio_;
  std::vector<std::shared_ptr<signalbox::socketio::Connecting>> waiting_;
  size_t connected_ = 0;
  size_t unanswered_ = 0;
};

struct Floors {
  Floors();

  signalbox::Loop loop;
  signalbox::Options options;
  signalbox::Log log;
  signalbox::Counters counters;
  const signalbox::net::OriginPolicy origins;
  const signalbox::net::Place place;
  signalbox::signaling::Service service;
  signalbox::socketio::Server socketio;
  Echo echo;
  signalbox::engineio::Server engineio;
  signalbox::engineio::Drain drain;
};

}  // namespace fuzz
