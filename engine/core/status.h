// The result of an operation that can fail: success, or a kind of failure with a text for a person.
//
// Thread: a value; no sharing.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

namespace signalbox {

enum class ErrorCode {
  kNone = 0,
  kInvalid,  // an argument or option that cannot be accepted; the text names it and what is allowed
  kState,    // the call does not fit the object's state (started twice, ...)
  kAddress,  // the listening address is in use, not ours, or not permitted
  kSystem,   // the system refused memory, descriptors or threads
  kUnavailable,  // a service that is needed (Redis) does not answer
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // success
  Status(ErrorCode code, std::string text) : code_(code), text_(std::move(text)) {}

  bool ok() const { return code_ == ErrorCode::kNone; }
  ErrorCode code() const { return code_; }
  const std::string& text() const { return text_; }

 private:
  ErrorCode code_ = ErrorCode::kNone;
  std::string text_;
};

// Success when all are; else the code of the first failure, and the texts of all, a line each.
inline Status together(std::initializer_list<Status> parts) {
  ErrorCode code = ErrorCode::kNone;
  std::string text;
  for (const Status& part : parts) {
    if (part.ok()) continue;
    if (code == ErrorCode::kNone) code = part.code();
    text += (text.empty() ? "" : "\n") + part.text();
  }
  return {code, std::move(text)};
}

}  // namespace signalbox
