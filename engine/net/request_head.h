// The header of a request, checked line by line as it comes, before libwebsockets sees any of it:
// whether it is what RFC 9112 wants, keeps to the limits, and means to libwebsockets what it means
// to everybody else.
//
// Thread: a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace signalbox::net {

class RequestHead {
 public:
  struct Limits {
    size_t bytes;  // with the empty line at the end
    size_t lines;  // beside the request line
  };
  enum class State { kMore, kWhole, kRefused };

  // `bytes` begin with the request; in a later call they are those of the one before, and more.
  State read(std::string_view bytes, const Limits& limits);

  // Of a whole header.
  size_t size() const { return at_; }
  std::string_view request_line(std::string_view bytes) const {
    return bytes.substr(0, line_size_);
  }
  // The size of the body that follows, where the header tells one.
  uint64_t body_size() const { return length_; }
  bool has_body() const { return length_ != 0 || chunked_; }
  // Whether nothing can be said about what stands behind: a body whose end only its reader finds,
  // or the bytes of another protocol.
  bool ends_open() const { return chunked_ || upgrades_ || (presumes_body_ && !has_length_); }

  // Of a refused one: the status to answer, and why.
  int status() const { return status_; }
  const char* error() const { return error_; }

 private:
  State refuse(int status, const char* error);
  State finish();
  bool take_request_line(std::string_view line);
  bool take_header(std::string_view line);
  bool take_known(std::string_view name, std::string_view value);

  size_t at_ = 0;         // where the next line begins
  size_t searched_ = 0;   // up to where its end has been looked for
  size_t line_size_ = 0;  // of the request line
  size_t lines_ = 0;
  uint64_t length_ = 0;
  int status_ = 0;
  const char* error_ = nullptr;
  bool version_1_0_ = false;
  bool presumes_body_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool chunked_ = false;
  bool upgrades_ = false;
};

}  // namespace signalbox::net
