// The engines of this process: one, or several that share a port, each on a thread of its own.
//
// Thread: the main thread.
// Owner: main. Destroying it ends those that serve.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hostd/demo_page.h"
#include "hostd/handles.h"
#include "hostd/signals.h"

namespace hostd {

class Workers {
 public:
  // `signals` hears of each engine that stops.
  Workers(const sbx_config* config, size_t count, Signals& signals);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Makes the engines and mounts the page (null: none); then start() has them serve. After an error
  // of either, which sbx_last_error() tells, it can only be destroyed.
  sbx_error make(DemoPage* demo);
  sbx_error start();

  // Asks every engine to stop.
  void stop();

  // sbx_engine_set, sbx_engine_set_log_level for each; the first error.
  sbx_error set(const char* option, const char* value);
  sbx_error set_log_level(sbx_log_level level);

  // Whether every engine that has not ended has turned since this was last asked and answered with
  // yes. The first time it is yes.
  bool have_turned();

  uint16_t port() const { return sbx_engine_port(all_.front()->engine.get()); }
  size_t count() const { return all_.size(); }
  // Those that make() made; they live as long as this.
  std::vector<const sbx_engine*> engines() const;

 private:
  struct Worker {
    Worker(std::string worker_name, Signals& worker_signals)
        : name(std::move(worker_name)), signals(worker_signals) {}

    std::string name;  // in the log; "": there is only one
    Signals& signals;
    Engine engine;
    std::atomic<bool> turned = true;
  };

  const sbx_config* config_;
  std::vector<std::unique_ptr<Worker>> all_;
};

}  // namespace hostd
