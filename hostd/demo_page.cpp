#include "hostd/demo_page.h"

#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "hostd/embedded_file.h"

namespace hostd {

std::span<const EmbeddedFile> demo_files();  // of hostd/demo; none: hostd was built without them

namespace {

constexpr std::string_view kIndex = "/index.html";
constexpr std::string_view kClient = "/lib/socket.io.js";

// Everything the page needs comes from here; it may connect to nothing else, but to its peers.
constexpr const char* kPolicy =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'";

const char* type_of(std::string_view path) {
  static const std::map<std::string_view, const char*> kTypes = {
      {"html", "text/html; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"svg", "image/svg+xml"},
  };
  return kTypes.at(path.substr(path.rfind('.') + 1));
}

// Whether a request names the version that there is (RFC 9110, 13.1.2).
bool has_version(const sbx_http_request& request, const std::string& tag) {
  for (size_t i = 0; i < request.header_count; ++i) {
    if (std::string_view(request.headers[i].name) == "if-none-match") {
      return std::string_view(request.headers[i].value).find(tag) != std::string_view::npos;
    }
  }
  return false;
}

void respond(sbx_engine* engine, const sbx_http_request& request, int status,
             const std::vector<sbx_pair>& headers, std::string_view body) {
  sbx_http_respond(engine, request.ticket, status, headers.data(), headers.size(), body.data(),
                   body.size());
}

}  // namespace

bool DemoPage::built() {
  return !demo_files().empty();
}

DemoPage::DemoPage(std::string socketio_path)
    : socketio_path_(std::move(socketio_path)), client_path_(socketio_path_ + "socket.io.js") {
  for (const auto& [path, content] : demo_files()) {
    if (path == kClient) {
      add(client_path_, type_of(path), content);  // as other servers of Socket.IO do
    } else {
      add(path == kIndex ? "/" : std::string(path), type_of(path), content);
    }
  }
  add("/socketio-path", "text/plain; charset=utf-8", socketio_path_);
}

void DemoPage::add(const std::string& path, const char* type, std::string_view content) {
  const std::string tag = '"' + std::to_string(std::hash<std::string_view>()(content)) + '"';
  files_[path] = {type, content, tag};
}

sbx_error DemoPage::mount(sbx_engine* engine) {
  Mount& mount = mounts_.emplace_back(Mount{*this, engine});
  const auto handler = [](void* user, const sbx_http_request* request) {
    const Mount& at = *static_cast<Mount*>(user);
    at.page.answer(at.engine, *request);
  };
  const sbx_error rc = sbx_engine_mount(engine, client_path_.c_str(), handler, &mount);
  return rc != SBX_OK ? rc : sbx_engine_mount(engine, "/", handler, &mount);
}

void DemoPage::answer(sbx_engine* engine, const sbx_http_request& request) const {
  constexpr sbx_pair kJson = {"Content-Type", "application/json; charset=utf-8"};
  const auto found = files_.find(std::string_view(request.path));
  if (found == files_.end()) {  // as where nothing is mounted
    respond(engine, request, 404, {kJson}, R"({"error":"Not found"})");
    return;
  }
  const std::string_view method = request.method;
  if (method != "GET" && method != "HEAD") {
    respond(engine, request, 405, {kJson, {"Allow", "GET, HEAD, OPTIONS"}},
            R"({"error":"Method not allowed"})");
    return;
  }
  const File& file = found->second;
  const std::vector<sbx_pair> headers = {
      {"Content-Type", file.type},  // of which the library has browsers make no other
      {"ETag", file.tag.c_str()},           {"Cache-Control", "no-cache"},
      {"Content-Security-Policy", kPolicy}, {"Referrer-Policy", "no-referrer"},
  };
  if (has_version(request, file.tag)) {
    respond(engine, request, 304, headers, {});
  } else {
    respond(engine, request, 200, headers, file.content);
  }
}

}  // namespace hostd
