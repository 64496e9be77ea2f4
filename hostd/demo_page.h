// The page to try hostd with, of files that are part of the executable.
//
// Thread: made and mounted on the main thread; then it is only read, on the engines' threads.
// Owner: main. It must outlive the engines it is mounted at.
#pragma once

#include <deque>
#include <string>

#include "hostd/site.h"
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
  struct Mount {
    const Site& site;
    sbx_engine* engine;
  };

  const std::string socketio_path_;
  const std::string client_path_;  // of the Socket.IO client's bundle
  Site site_;
  std::deque<Mount> mounts_;  // what the engines hold pointers to
};

}  // namespace hostd
