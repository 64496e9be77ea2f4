// Which headers of a request its handler is shown, and the reading of them. libwebsockets can tell
// the headers it knows; of others it must be asked by name (option http.headers).
//
// Thread: the loop's.
#pragma once

#include <string>
#include <vector>

#include "engine/core/status.h"
#include "engine/net/http.h"

struct lws;

namespace signalbox::net {

class RequestHeaders {
 public:
  RequestHeaders();

  // Shows these headers (valid names), too. kInvalid when libwebsockets misreads one of them.
  Status add(const std::vector<std::string>& names);

  // The headers of the request that `wsi` is at: those that libwebsockets knows in its own order,
  // then the added ones. See Request::headers for what becomes of repeated ones.
  Fields read(struct lws* wsi) const;

 private:
  struct Known {
    int token;  // libwebsockets' number
    std::string name;
  };
  std::vector<Known> known_;
  std::vector<std::string> added_;  // with their colons, as libwebsockets wants to be asked
};

}  // namespace signalbox::net
