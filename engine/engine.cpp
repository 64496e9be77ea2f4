#include "engine/engine.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <exception>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "engine/core/loop.h"
#include "engine/net/port_group.h"
#include "engine/net/server.h"
#include "engine/net/tls_context.h"
#include "engine/node.h"
#include "engine/store/redis_options.h"
#include "engine/store/siblings.h"

namespace signalbox {
namespace {

// A peer that has gone must be an error of write(), not the end of the host's process; hiredis
// writes without MSG_NOSIGNAL. libwebsockets ignores the signal for the whole process when it
// starts; this holds even if the host then handles it again.
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

Status check_application(const Options& options) {
  if (!options.signaling_enabled) return {};
  return together({store::validate_redis_options(options), signaling::Tokens::validate(options),
                   signaling::IceServers::validate(options)});
}

}  // namespace

class Engine::Impl {
 public:
  Impl(Options options, LogLevel log_level, Observers observers, host::Program program)
      : options_(std::move(options)),
        observers_(std::move(observers)),
        log_(log_level, observers_.log, &counters_.log_lines_held_back),
        program_(std::move(program)) {}

  ~Impl() {
    if (stops_.load() == 0) stop();  // asked for already, it must not be hurried
    join();
    if (mode_ == Mode::kTurns) {
      while (run_once(-1).ok()) {
      }
    }
  }

  const Options& options() const { return options_; }

  Status share_port(Impl& other) {
    const auto differ = [](const char* option) {
      return Status(ErrorCode::kInvalid, std::string("option ") + option + " differs");
    };
    if (options_.listen_host != other.options_.listen_host) return differ("listen.host");
    if (options_.listen_port != other.options_.listen_port) return differ("listen.port");
    if (options_.listen_fd != other.options_.listen_fd) return differ("listen.fd");
    if (options_.socketio_path != other.options_.socketio_path) return differ("socketio.path");
    if (net::wants_tls(options_) != net::wants_tls(other.options_)) return differ("tls.cert");
    if (this == &other) return {ErrorCode::kInvalid, "an engine shares its port with another one"};
    const std::scoped_lock lock(mutex_, other.mutex_);
    if (place_.group->sealed()) return {ErrorCode::kState, "the engine has begun to listen"};
    if (!place_.group->alone()) return {ErrorCode::kState, "the engine shares a port already"};
    size_t number = 0;
    const Status status = other.place_.group->add_place(number);
    if (!status.ok()) return status;
    place_ = {other.place_.group, number};
    if (store::same_redis(options_, other.options_)) siblings_ = other.siblings_;
    return {};
  }

  Status run() {
    const Status begun = begin(Mode::kThread);
    if (!begun.ok()) return begun;
    in_run_.store(true);
    const Status status = serve([](const Status&) {});
    in_run_.store(false);
    return status;
  }

  Status start() {
    const Status begun = begin(Mode::kThread);
    if (!begun.ok()) return begun;
    std::promise<Status> opened;
    std::future<Status> result = opened.get_future();
    try {
      const std::lock_guard<std::mutex> lock(thread_mutex_);
      thread_ = std::thread([this, &opened] {
        (void)serve([&opened](const Status& status) { opened.set_value(status); });
      });
    } catch (const std::exception& error) {
      loop_->finish_tasks();
      return {ErrorCode::kSystem, std::string("the engine's thread: ") + error.what()};
    }
    Status status = result.get();
    if (!status.ok()) join();
    return status;
  }

  Status attach(void* uv_loop) {
    const Status begun = begin(Mode::kAttached, uv_loop);
    return begun.ok() ? listen() : begun;
  }

  Status open() {
    const Status begun = begin(Mode::kTurns);
    return begun.ok() ? listen() : begun;
  }

  Status run_once(int timeout_ms) {
    if (mode_ != Mode::kTurns || !node_) return {ErrorCode::kState, "the engine is not open"};
    const BlockSigpipe block;
    loop_->turn(timeout_ms);
    if (!drained_) return {};
    finish();
    return {ErrorCode::kState, "the engine has ended"};
  }

  int descriptor() const { return open_for_turns() ? loop_->descriptor() : -1; }
  int timeout_ms() const {
    if (open_for_turns()) return loop_->timeout_ms();
    return ended_.load() ? 0 : -1;
  }

  // Async-signal-safe: atomics and a wake.
  void stop() {
    stops_.fetch_add(1);
    if (Loop* loop = listening_loop_.load()) loop->wake();
  }

  void join() {
    const std::lock_guard<std::mutex> lock(thread_mutex_);  // many may wait
    if (thread_.joinable()) thread_.join();
  }

  Status check_destroyable() const {
    if (in_run_.load()) {
      return {ErrorCode::kState, "the engine runs in another thread: stop it and let that return"};
    }
    if (serving() && mode_ == Mode::kAttached) {
      return {ErrorCode::kState, "the engine is attached: stop it and let its loop run to the end"};
    }
    return {};
  }

  bool serving() const { return port_.load() != 0; }
  const Counters& counters() const { return counters_; }

  uint16_t port() const { return port_.load(); }

  Status configure(std::function<void(host::Program& program)> change) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!loop_) {
      change(program_);
      return {};
    }
    const bool posted = loop_->post([this, change = std::move(change)] {
      change(program_);
      if (node_) node_->refresh();
    });
    return posted ? Status() : Status(ErrorCode::kState, "the engine has ended");
  }

  Status set(const std::string& name, const std::string& value) {
    Status status = check_live_option(name, value);
    if (!status.ok()) return status;
    return change([this, name, value](Node& node) {
      (void)set_option(options_, name, value);  // it was checked
      node.follow_option(name);
    });
  }

  Status set_log_level(LogLevel level) {
    return change([this, level](Node&) { log_.set_level(level); });
  }

  bool submit(std::function<void(Node& node)> command) {
    if (!serving()) return false;
    return loop_->post([this, command = std::move(command)] { command(*node_); });
  }

 private:
  Status change(std::function<void(Node& node)> command) {
    if (submit(std::move(command))) return {};
    return {ErrorCode::kState, "the engine does not serve"};
  }

  enum class Mode { kNone, kThread, kAttached, kTurns };

  // An engine serves once. Makes the loop, from which on the program belongs to its thread.
  Status begin(Mode mode, void* uv_loop = nullptr) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (mode_ != Mode::kNone) return {ErrorCode::kState, "the engine has served before"};
    try {
      loop_ = uv_loop != nullptr ? std::make_unique<Loop>(uv_loop) : std::make_unique<Loop>();
    } catch (const std::exception& error) {
      return {ErrorCode::kSystem, error.what()};
    }
    mode_ = mode;
    place_.group->seal();
    return {};
  }

  // `opened` hears once how listening went, before anything is served.
  Status serve(const std::function<void(const Status&)>& opened) {
    const BlockSigpipe block;
    const Status status = listen();
    opened(status);
    if (!status.ok()) return status;
    loop_->run();
    finish();
    return {};
  }

  Status listen() {
    Status status;
    std::unique_ptr<Node> node;
    loop_->set_exception_handler([this](const char* what) {
      ++counters_.callbacks_failed;
      log_.error("internal error", {{"what", what}});
    });
    try {
      status = check_application(options_);
      if (status.ok()) {
        node = std::make_unique<Node>(*loop_, options_, log_, counters_, observers_.rooms, program_,
                                      place_, siblings_);
        status = node->open();
      }
    } catch (const std::exception& error) {
      status = {ErrorCode::kSystem, error.what()};
    }
    if (!status.ok()) {
      node.reset();
      loop_->finish_tasks();
      loop_->release();
      return status;
    }
    node_ = std::move(node);
    port_.store(node_->port());
    loop_->set_wake_handler([this] { heed_stop(); });
    listening_loop_.store(loop_.get());
    if (observers_.started) observers_.started(node_->port());
    if (stops_.load() != 0) loop_->wake();  // asked for before we listened
    return {};
  }

  // What was submitted before the stop comes before it.
  void heed_stop() {
    const int stops = stops_.load();
    if (stops > 0 && !stopping_) stopping_ = loop_->post([this] { shut_down(); });
    if (stops > 1 && !hurried_) hurried_ = loop_->post([this] { node_->hurry(); });
  }

  void shut_down() {
    node_->shut_down([this] {
      drained_ = true;
      if (mode_ == Mode::kAttached) {
        last_.emplace(*loop_, [this] { finish(); });
        last_->start(0);
      } else {
        loop_->stop();
      }
    });
  }

  // The last commands still find the node; then it goes, outside of every callback of its own.
  void finish() {
    loop_->set_wake_handler(nullptr);
    loop_->finish_tasks();
    node_.reset();
    port_.store(0);
    loop_->release();
    ended_.store(true);
    if (observers_.stopped) observers_.stopped();
  }

  bool open_for_turns() const { return serving() && mode_ == Mode::kTurns; }

  Options options_;  // changes on the loop's thread
  const Observers observers_;
  Counters counters_;
  Log log_;
  std::mutex mutex_;  // guards what begin() sets, and until then the program and the place
  host::Program program_;
  net::Place place_;
  std::shared_ptr<store::Siblings> siblings_ = std::make_shared<store::Siblings>();
  Mode mode_ = Mode::kNone;
  std::unique_ptr<Loop> loop_;  // lives until the end, so that stop() and submit() always find it
  std::unique_ptr<Node> node_;  // the loop's thread's
  std::optional<Timer> last_;   // in which an attached engine finishes
  std::mutex thread_mutex_;     // guards thread_
  std::thread thread_;
  bool stopping_ = false;
  bool hurried_ = false;
  bool drained_ = false;
  std::atomic<Loop*> listening_loop_ = nullptr;
  std::atomic<int> stops_ = 0;  // how often it was asked for
  std::atomic<uint16_t> port_ = 0;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> in_run_ = false;
};

Engine::Engine(Options options, LogLevel log_level, Observers observers, host::Program program)
    : impl_(std::make_unique<Impl>(std::move(options), log_level, std::move(observers),
                                   std::move(program))) {}

Engine::~Engine() = default;

Status Engine::check(const Options& options) {
  return together({check_application(options), net::Server::check(options)});
}
const Options& Engine::options() const {
  return impl_->options();
}
Status Engine::share_port(Engine& other) {
  return impl_->share_port(*other.impl_);
}
Status Engine::run() {
  return impl_->run();
}
Status Engine::start() {
  return impl_->start();
}
Status Engine::attach(void* uv_loop) {
  return impl_->attach(uv_loop);
}
Status Engine::open() {
  return impl_->open();
}
Status Engine::run_once(int timeout_ms) {
  return impl_->run_once(timeout_ms);
}
int Engine::descriptor() const {
  return impl_->descriptor();
}
int Engine::timeout_ms() const {
  return impl_->timeout_ms();
}
void Engine::stop() {
  impl_->stop();
}
void Engine::join() {
  impl_->join();
}
Status Engine::check_destroyable() const {
  return impl_->check_destroyable();
}
bool Engine::serving() const {
  return impl_->serving();
}
uint16_t Engine::port() const {
  return impl_->port();
}
const Counters& Engine::counters() const {
  return impl_->counters();
}
bool Engine::belongs_to_application(std::string_view nsp, std::string_view event) const {
  return options().signaling_enabled && nsp == signaling::Service::kNamespace &&
         signaling::Application::has_event(event);
}
Status Engine::configure(std::function<void(host::Program& program)> change) {
  return impl_->configure(std::move(change));
}
Status Engine::set(const std::string& name, const std::string& value) {
  return impl_->set(name, value);
}
Status Engine::set_log_level(LogLevel level) {
  return impl_->set_log_level(level);
}
bool Engine::submit(std::function<void(Node& node)> command) {
  return impl_->submit(std::move(command));
}

}  // namespace signalbox
