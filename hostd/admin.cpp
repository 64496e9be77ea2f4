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
constexpr sbx_pair kText = {"Content-Type", "text/plain; charset=utf-8"};

// Of a host as a URL has it, without its port.
bool is_loopback(std::string_view host) {
  const bool v4 =
      host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return v4 || host == "localhost" || host == "[::1]" || host == "::1";
}

// The host that a request is meant for: "" when it does not say.
std::string_view host_of(const sbx_http_request& request) {
  for (size_t i = 0; i < request.header_count; ++i) {
    if (std::string_view(request.headers[i].name) != "host") continue;
    std::string_view host = request.headers[i].value;
    const size_t colon = host.rfind(':');
    const bool port = colon != std::string_view::npos && host.find(']', colon) == host.npos;
    return port ? host.substr(0, colon) : host;
  }
  return "";
}

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
                                                         {"proxy.trusted", ""},
                                                         // Who asks nothing keeps nobody out.
                                                         {"limits.connections", "64"},
                                                         {"limits.connections_per_ip", "32"},
                                                         {"limits.handshakes", "16"},
                                                         {"http.keep_alive", "5000"},
                                                         {"signaling.enabled", "false"},
                                                         {"socketio.enabled", "false"}};
  for (const auto& [name, value] : options) {
    const sbx_error rc = sbx_config_set(config.get(), name, value);
    if (rc != SBX_OK) return rc;
  }
  sbx_config_set_log_level(config.get(), SBX_LOG_WARNING);

  sbx_callbacks callbacks{};
  callbacks.size = sizeof callbacks;
  callbacks.log = [](void*, sbx_log_level level, const char* line) {
    log_engine(level, "admin", line);
  };
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
  // A page of another site that has its name lead here (DNS rebinding) is taken by its browser for
  // one of ours, but its requests tell that name.
  if (const std::string_view host = host_of(request);
      is_loopback(address_.host) && !host.empty() && !is_loopback(host)) {
    respond(engine_.get(), request, 403, {{kText}}, "This is served as localhost alone.\n");
    return;
  }
  if (std::string_view(request.path) != kMetricsPath) {
    site_.answer(engine_.get(), request);
    return;
  }
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
