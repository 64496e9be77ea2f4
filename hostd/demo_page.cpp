#include "hostd/demo_page.h"

#include <span>
#include <string_view>
#include <utility>

#include "hostd/embedded_file.h"

namespace hostd {

std::span<const EmbeddedFile> demo_files();  // of hostd/demo; none: hostd was built without them

namespace {

constexpr std::string_view kClient = "/lib/socket.io.js";

}  // namespace

bool DemoPage::built() {
  return !demo_files().empty();
}

DemoPage::DemoPage(std::string socketio_path)
    : socketio_path_(std::move(socketio_path)), client_path_(socketio_path_ + "socket.io.js") {
  for (const auto& [path, content] : demo_files()) {
    // The client lies where other servers of Socket.IO have it.
    site_.add(path == kClient ? client_path_ : std::string(path), content);
  }
  site_.add("/socketio-path", socketio_path_);
}

sbx_error DemoPage::mount(sbx_engine* engine) {
  Mount& mount = mounts_.emplace_back(Mount{site_, engine});
  const auto handler = [](void* user, const sbx_http_request* request) {
    const Mount& at = *static_cast<Mount*>(user);
    at.site.answer(at.engine, *request);
  };
  const sbx_error rc = sbx_engine_mount(engine, client_path_.c_str(), handler, &mount);
  return rc != SBX_OK ? rc : sbx_engine_mount(engine, "/", handler, &mount);
}

}  // namespace hostd
