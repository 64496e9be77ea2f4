// Files that are part of the executable, as an engine serves them to browsers: with their types,
// with tags that spare what has not changed, and with a policy that keeps the pages from asking
// anybody else for anything.
//
// Thread: filled on the main thread; then it is only read, on the engines' threads.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "hostd/embedded_file.h"
#include "signalbox.h"

namespace hostd {

class Site {
 public:
  // /index.html is at "/". The contents must live as long as this.
  void add(std::span<const EmbeddedFile> files);
  void add(const std::string& path, std::string_view content);  // by the path's extension, or text

  // A request that was mounted at `engine`.
  void answer(sbx_engine* engine, const sbx_http_request& request) const;

 private:
  struct File {
    const char* type;
    std::string_view content;
    std::string tag;
  };

  std::map<std::string, File, std::less<>> files_;  // by path of the URL
};

// Answers with what is no page: the library adds its own headers.
void respond(sbx_engine* engine, const sbx_http_request& request, int status,
             std::span<const sbx_pair> headers, std::string_view body);

}  // namespace hostd
