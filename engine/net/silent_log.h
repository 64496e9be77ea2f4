// A log for one context of libwebsockets, which says nothing. From 4.3 on each context and
// connection counts itself at its log, without a lock: at the one of the process, contexts of
// several threads would lose count, and an assertion end the process.
//
// Thread: the loop's.
// Owner: the server; it must outlive the context.
#pragma once

#include <libwebsockets.h>

namespace signalbox::net {

struct SilentLog {
#if LWS_LIBRARY_VERSION_NUMBER >= 4003000
  void use_for(lws_context_creation_info& info) {
    info.log_cx = &log;
  }

  lws_log_cx_t log{};
#else
  void use_for(lws_context_creation_info&) {}
#endif
};

}  // namespace signalbox::net
