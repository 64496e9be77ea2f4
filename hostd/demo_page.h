// The page to try hostd with, of files that are part of the executable.
//
// Thread: made and mounted on the main thread; then it is only read, on the engines' threads.
// Owner: main. It must outlive the engines it is mounted at.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "signalbox.h"

namespace hostd {

class DemoPage {
 public:
  // Whether hostd was built with it.
  static bool built();

  // `socketio_path`: the option of that name.
  explicit DemoPage(std::string socketio_path);
  DemoPage(const DemoPage&) = delete;
  DemoPage& operator=(const DemoPage&) = delete;

  // Serves them at `/` of an engine that does not serve yet.
  sbx_error mount(sbx_engine* engine);

 private:
  struct File {
    const char* type;
    std::string_view content;
    std::string tag;
  };
  struct Mount {
    const DemoPage& page;
    sbx_engine* engine;
  };

  void add(const std::string& path, const char* type, std::string_view content);
  void answer(sbx_engine* engine, const sbx_http_request& request) const;

  const std::string socketio_path_;
  const std::string client_path_;                   // of the Socket.IO client's bundle
  std::map<std::string, File, std::less<>> files_;  // by path of the URL
  std::deque<Mount> mounts_;                        // what the engines hold pointers to
};

}  // namespace hostd
