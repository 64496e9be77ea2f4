// One HTTP request and its answer, which may come later than the call that delivered the request,
// and may come to nothing because the client has gone.
//
// Thread: the loop's.
// Owner: shared between the connection and whoever is to answer; either may let go first.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/net/http.h"
#include "engine/net/kept_bytes.h"

struct lws;

namespace signalbox::net {

class ChunkedDecoder;
class Server;

class HttpExchange : public std::enable_shared_from_this<HttpExchange> {
 public:
  HttpExchange(Server& server, struct lws* wsi, Request request);
  // One whose client is elsewhere: `answer` gets the response.
  HttpExchange(Request request, std::function<void(Response response)> answer);
  ~HttpExchange();

  const Request& request() const { return request_; }

  // Answers the request. Does nothing when it was answered already or the client has gone.
  void respond(Response response);

  // Called once when the client goes away before the answer, and not after it. To be set while the
  // request is delivered; without it the departure may pass unnoticed until the answer.
  void set_on_abort(std::function<void()> on_abort) { on_abort_ = std::move(on_abort); }

  // For whoever has the connection: it is gone.
  void client_left();

  // For whoever has the connection, once: what to give to those who are to answer. When the last of
  // them lets go without an answer (for want of memory, as a rule), the connection ends.
  std::shared_ptr<HttpExchange> share();

 private:
  friend class Dispatch;
  friend class Server;
  bool gone() const { return wsi_ == nullptr && !answer_; }
  void abandon();
  void render(Response& response);

  Server* server_ = nullptr;              // null: the client is elsewhere
  struct lws* wsi_ = nullptr;             // null, too, once the connection is gone
  std::function<void(Response)> answer_;  // null once the client elsewhere is gone
  Request request_;
  std::function<void()> on_abort_;
  std::unique_ptr<ChunkedDecoder> chunks_;  // only of a body that comes in chunks
  KeptBytes body_kept_;
  std::string reply_;  // the bytes to send, once they are known
  size_t body_limit_ = 0;
  uint64_t begun_ms_ = 0;
  bool delivered_ = false;    // the handler has it
  bool answered_ = false;     // respond() was called
  bool in_callback_ = false;  // libwebsockets is calling us for this connection
  bool close_ = false;        // end the connection behind the answer
  bool last_ = false;         // serve no other request on it, but drop the rest of this one's body
  bool sent_ = false;         // the answer has been handed over, and is being taken
  bool watched_ = false;      // in the hang-up watch
  bool paused_ = false;       // reading is paused until the answer is sent
};

}  // namespace signalbox::net
