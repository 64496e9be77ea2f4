// What the server brings into every TLS handshake: its certificate and key, and the rules (TLS 1.2
// or later; with 1.2 only ciphers with forward secrecy; HTTP/1.1 and nothing else behind it).
//
// Thread: functions without state; a context may be used by many.
// Owner: whoever asked for the context. Connections keep what they need of it.
#pragma once

#include <memory>
#include <string>

#include "engine/core/options.h"
#include "engine/core/status.h"

struct ssl_ctx_st;
struct ssl_st;

namespace signalbox::net {

struct FreeTls {
  void operator()(struct ssl_ctx_st* context) const;
  void operator()(struct ssl_st* session) const;
};
using TlsContext = std::unique_ptr<struct ssl_ctx_st, FreeTls>;
using TlsSession = std::unique_ptr<struct ssl_st, FreeTls>;

// Whether the options ask for TLS.
bool wants_tls(const Options& options);

// Reads the files that tls.cert and tls.key name. kInvalid, with the option and the file in the
// text, when one of them is missing, cannot be read, or does not fit the other; `read` is then as
// it was.
Status read_tls_context(const Options& options, TlsContext& read);

// Until when the certificate is valid ("2027-01-31 23:59:59 UTC"), and whether it is now.
struct Validity {
  std::string until;
  bool now;
};
Validity validity(const TlsContext& context);

}  // namespace signalbox::net
