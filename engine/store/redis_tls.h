// TLS to Redis: whom we believe, and who we are, as the options redis.tls_* say. It needs the part
// of hiredis that 0.14 does not have; CMake chooses redis_tls.cpp or, without it,
// redis_tls_absent.cpp.
//
// Thread: the loop's.
// Owner: whoever makes connections; its connections do not need it any more.
#pragma once

#include <memory>
#include <string>

#include "engine/core/options.h"
#include "engine/core/status.h"

struct redisContext;
struct ssl_ctx_st;
struct ssl_st;

namespace signalbox::store {

class RedisTls {
 public:
  static const bool kBuilt;  // whether this build can do TLS

  // Reads the files. kInvalid with a text that names the option whose file is of no use; `out` is
  // then unspecified.
  static Status create(const Options& options, std::unique_ptr<RedisTls>& out);
  ~RedisTls();
  RedisTls(const RedisTls&) = delete;
  RedisTls& operator=(const RedisTls&) = delete;

  // One connection's TLS; may outlive the connection.
  using Session = std::shared_ptr<ssl_st>;

  // Makes a connection that has just been begun speak TLS. The other side must have a certificate
  // for `host`, a name or a numeric address.
  Status start(redisContext* connection, const std::string& host, Session& session) const;

  // Why the other side's certificate was not accepted; empty if it was, or none has come. hiredis
  // does not always tell.
  static std::string refusal(const Session& session);

 private:
  explicit RedisTls(ssl_ctx_st* context) : context_(context) {}
  [[maybe_unused]] ssl_ctx_st* context_;
};

}  // namespace signalbox::store
