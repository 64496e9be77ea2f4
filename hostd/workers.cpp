#include "hostd/workers.h"

#include "hostd/logging.h"

namespace hostd {

Workers::Workers(const sbx_config* config, size_t count, Signals& signals) : config_(config) {
  for (size_t i = 1; i <= count; ++i) {
    all_.push_back(std::make_unique<Worker>(count == 1 ? "" : std::to_string(i), signals));
  }
}

// All at once first: each takes its time to end. Those that have ended do not mind.
Workers::~Workers() {
  stop();
}

sbx_error Workers::make(DemoPage* demo) {
  sbx_callbacks callbacks{};
  callbacks.size = sizeof callbacks;
  callbacks.log = [](void* user, sbx_log_level level, const char* line) {
    log_engine(level, static_cast<const Worker*>(user)->name, line);
  };
  callbacks.stopped = [](void* user) { static_cast<Worker*>(user)->signals.engine_stopped(); };
  sbx_error rc = SBX_OK;
  for (const auto& worker : all_) {
    callbacks.user = worker.get();
    sbx_engine* created = nullptr;
    rc = sbx_engine_create(config_, &callbacks, &created);
    if (rc != SBX_OK) return rc;
    worker->engine.reset(created);
    if (worker != all_.front()) rc = sbx_engine_share_port(created, all_.front()->engine.get());
    if (rc == SBX_OK && demo != nullptr) rc = demo->mount(created);
    if (rc != SBX_OK) return rc;
  }
  return SBX_OK;
}

sbx_error Workers::start() {
  for (const auto& worker : all_) {
    const sbx_error rc = sbx_engine_start(worker->engine.get());
    if (rc != SBX_OK) return rc;
  }
  return SBX_OK;
}

std::vector<const sbx_engine*> Workers::engines() const {
  std::vector<const sbx_engine*> engines;
  for (const auto& worker : all_) engines.push_back(worker->engine.get());
  return engines;
}

void Workers::stop() {
  for (const auto& worker : all_) {
    if (worker->engine) sbx_engine_stop(worker->engine.get());
  }
}

bool Workers::have_turned() {
  for (const auto& worker : all_) {
    if (!worker->turned) return false;
  }
  const auto turned = [](void* user) { static_cast<Worker*>(user)->turned = true; };
  for (const auto& worker : all_) {
    worker->turned = false;
    // One that refuses has ended.
    if (sbx_engine_call(worker->engine.get(), turned, worker.get()) != SBX_OK) turned(worker.get());
  }
  return true;
}

sbx_error Workers::set(const char* option, const char* value) {
  for (const auto& worker : all_) {
    const sbx_error rc = sbx_engine_set(worker->engine.get(), option, value);
    if (rc != SBX_OK) return rc;
  }
  return SBX_OK;
}

sbx_error Workers::set_log_level(sbx_log_level level) {
  for (const auto& worker : all_) {
    const sbx_error rc = sbx_engine_set_log_level(worker->engine.get(), level);
    if (rc != SBX_OK) return rc;
  }
  return SBX_OK;
}

}  // namespace hostd
