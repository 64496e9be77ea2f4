#include "engine/engine.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <exception>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "engine/core/loop.h"
#include "engine/node.h"

namespace signalbox {
namespace {

// A peer that has gone must be an error of write(), not the end of the host's process; hiredis
// writes without MSG_NOSIGNAL. Blocking the signal on the loop's thread leaves the host's handlers
// alone.
class BlockSigpipe {
 public:
  BlockSigpipe() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~BlockSigpipe() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockSigpipe(const BlockSigpipe&) = delete;
  BlockSigpipe& operator=(const BlockSigpipe&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

class Engine::Impl {
 public:
  Impl(Options options, LogLevel log_level, Observers observers)
      : options_(std::move(options)),
        observers_(std::move(observers)),
        log_(log_level, observers_.log) {}

  Status run() {
    if (begun_.exchange(true)) return {ErrorCode::kState, "the engine has been started already"};
    return serve([](const Status&) {});
  }

  Status start() {
    if (begun_.exchange(true)) return {ErrorCode::kState, "the engine has been started already"};
    std::promise<Status> opened;
    std::future<Status> result = opened.get_future();
    thread_ = std::thread([this, &opened] {
      (void)serve([&opened](const Status& status) { opened.set_value(status); });
    });
    Status status = result.get();
    if (!status.ok()) thread_.join();
    return status;
  }

  // Async-signal-safe: an atomic and a wake.
  void stop() {
    stop_requested_.store(true);
    loop_.wake();
  }

  void join() {
    if (thread_.joinable()) thread_.join();
  }

  uint16_t port() const { return port_.load(); }

 private:
  // `opened` hears once how opening went, after observers have and before anything is served.
  Status serve(const std::function<void(const Status&)>& opened) {
    const BlockSigpipe block;
    std::unique_ptr<Node> node;
    Status status;
    try {
      status = store::Redis::validate_url(options_.redis_url);
      if (status.ok()) {
        node = std::make_unique<Node>(
            loop_, options_, log_,
            signaling::RoomObserver{observers_.room_created, observers_.joined, observers_.left,
                                    observers_.refused});
        status = node->open();
      }
    } catch (const std::exception& error) {
      status = {ErrorCode::kSystem, error.what()};
    }
    if (!status.ok()) {
      node.reset();
      opened(status);
      return status;
    }
    port_.store(node->port());
    if (observers_.started) observers_.started(node->port());
    opened(status);

    loop_.set_exception_handler(
        [this](const char* what) { log_.error(std::string("internal error: ") + what); });
    bool stopping = false;
    const auto heed_stop = [&] {
      if (!stop_requested_.load() || std::exchange(stopping, true)) return;
      node->shut_down([this] { loop_.stop(); });
    };
    loop_.set_wake_handler(heed_stop);
    heed_stop();  // it may have been asked for before we listened
    loop_.run();
    loop_.set_wake_handler(nullptr);
    node.reset();
    loop_.set_exception_handler(nullptr);
    port_.store(0);
    if (observers_.stopped) observers_.stopped();
    return {};
  }

  const Options options_;
  const Observers observers_;
  const Log log_;
  Loop loop_;
  std::thread thread_;
  std::atomic<bool> begun_ = false;
  std::atomic<bool> stop_requested_ = false;
  std::atomic<uint16_t> port_ = 0;
};

Engine::Engine(Options options, LogLevel log_level, Observers observers)
    : impl_(std::make_unique<Impl>(std::move(options), log_level, std::move(observers))) {}

Engine::~Engine() {
  stop();
  join();
}

Status Engine::run() {
  return impl_->run();
}
Status Engine::start() {
  return impl_->start();
}
void Engine::stop() {
  impl_->stop();
}
void Engine::join() {
  impl_->join();
}
uint16_t Engine::port() const {
  return impl_->port();
}

}  // namespace signalbox
