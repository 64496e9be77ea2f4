#include "hostd/site.h"

#include <array>

namespace hostd {
namespace {

constexpr std::string_view kIndex = "/index.html";

// Everything a page needs comes from here; it may connect to nothing else, but to its peers.
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
  const auto found = kTypes.find(path.substr(path.rfind('.') + 1));
  return found == kTypes.end() ? "text/plain; charset=utf-8" : found->second;
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

}  // namespace

void Site::add(std::span<const EmbeddedFile> files) {
  for (const auto& [path, content] : files) add(std::string(path), content);
}

void Site::add(const std::string& path, std::string_view content) {
  const std::string tag = '"' + std::to_string(std::hash<std::string_view>()(content)) + '"';
  files_[path == kIndex ? "/" : path] = {type_of(path), content, tag};
}

void Site::answer(sbx_engine* engine, const sbx_http_request& request) const {
  constexpr sbx_pair kJson = {"Content-Type", "application/json; charset=utf-8"};
  const auto found = files_.find(std::string_view(request.path));
  if (found == files_.end()) {  // as where nothing is mounted
    respond(engine, request, 404, {{kJson}}, R"({"error":"Not found"})");
    return;
  }
  const std::string_view method = request.method;
  if (method != "GET" && method != "HEAD") {
    respond(engine, request, 405, {{kJson, {"Allow", "GET, HEAD, OPTIONS"}}},
            R"({"error":"Method not allowed"})");
    return;
  }
  const File& file = found->second;
  const std::array<sbx_pair, 5> headers = {{
      {"Content-Type", file.type},  // of which the library has browsers make no other
      {"ETag", file.tag.c_str()},
      {"Cache-Control", "no-cache"},
      {"Content-Security-Policy", kPolicy},
      {"Referrer-Policy", "no-referrer"},
  }};
  if (has_version(request, file.tag)) {
    respond(engine, request, 304, headers, {});
  } else {
    respond(engine, request, 200, headers, file.content);
  }
}

void respond(sbx_engine* engine, const sbx_http_request& request, int status,
             std::span<const sbx_pair> headers, std::string_view body) {
  sbx_http_respond(engine, request.ticket, status, headers.data(), headers.size(), body.data(),
                   body.size());
}

}  // namespace hostd
