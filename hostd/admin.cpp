#include "hostd/admin.h"

#include <exception>
#include <span>
#include <string_view>
#include <utility>

#include "hostd/logging.h"

namespace hostd {

std::span<const EmbeddedFile> status_files();  // of hostd/status

namespace {

constexpr const char* kMetricsPath = "/metrics";

}  // namespace

Admin::Admin(AdminAddress address, const Workers& workers)
    : address_(std::move(address)), metrics_(workers.engines()) {
  site_.add(status_files());
}

sbx_error Admin::start() {
  const Config config(sbx_config_new());
  if (config == nullptr) return SBX_E_SYSTEM;
  const std::string port = std::to_string(address_.port);
  const std::pair<const char*, const char*> options[] = {{"listen.host", address_.host.c_str()},
                                                         {"listen.port", port.c_str()},
                                                         {"limits.connections", "64"},
                                                         {"signaling.enabled", "false"},
                                                         {"socketio.enabled", "false"}};
  for (const auto& [name, value] : options) {
    const sbx_error rc = sbx_config_set(config.get(), name, value);
    if (rc != SBX_OK) return rc;
  }
  sbx_config_set_log_level(config.get(), SBX_LOG_WARNING);

  sbx_callbacks callbacks{};
  callbacks.size = sizeof callbacks;
  callbacks.log = [](void*, sbx_log_level level, const char* line) { log_engine(level, 0, line); };
  sbx_engine* created = nullptr;
  sbx_error rc = sbx_engine_create(config.get(), &callbacks, &created);
  if (rc != SBX_OK) return rc;
  engine_.reset(created);
  const auto handler = [](void* user, const sbx_http_request* request) {
    static_cast<const Admin*>(user)->answer(*request);
  };
  rc = sbx_engine_mount(created, "/", handler, this);
  return rc == SBX_OK ? sbx_engine_start(created) : rc;
}

void Admin::answer(const sbx_http_request& request) const {
  if (std::string_view(request.path) != kMetricsPath) {
    site_.answer(engine_.get(), request);
    return;
  }
  constexpr sbx_pair kText = {"Content-Type", "text/plain; charset=utf-8"};
  const std::string_view method = request.method;
  if (method != "GET" && method != "HEAD") {
    respond(engine_.get(), request, 405, {{{"Allow", "GET, HEAD"}}}, "");
    return;
  }
  try {
    respond(engine_.get(), request, 200,
            {{{"Content-Type", Metrics::kContentType}, {"Cache-Control", "no-store"}}},
            metrics_.text());
  } catch (const std::exception& error) {  // memory has run out
    respond(engine_.get(), request, 500, {{kText}}, error.what());
  }
}

std::string Admin::url() const {
  const bool v6 = address_.host.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + address_.host + "]" : address_.host) + ":" +
         std::to_string(sbx_engine_port(engine_.get())) + "/";
}

}  // namespace hostd
