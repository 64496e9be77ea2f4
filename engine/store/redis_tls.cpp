#include "engine/store/redis_tls.h"

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "engine/core/resolver.h"

namespace signalbox::store {
namespace {

std::string last_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "it cannot be used" : reason;
}

Status refused(const char* option, const std::string& file) {
  return {ErrorCode::kInvalid,
          std::string("option ") + option + ": '" + file + "' is not allowed; " + last_error()};
}

}  // namespace

const bool RedisTls::kBuilt = true;

Status RedisTls::create(const Options& options, std::unique_ptr<RedisTls>& out) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return {ErrorCode::kSystem, "TLS: " + last_error()};
  out.reset(new RedisTls(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const std::string& ca = options.redis_tls_ca;
  if (ca.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      return {ErrorCode::kSystem, "TLS: " + last_error()};
    }
  } else if (SSL_CTX_load_verify_locations(context, ca.c_str(), nullptr) != 1) {
    return refused("redis.tls_ca", ca);
  }
  const std::string& certificate = options.redis_tls_cert;
  const std::string& key = options.redis_tls_key;
  if (!certificate.empty() &&
      SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return refused("redis.tls_cert", certificate);
  }
  // This compares it with the certificate, too.
  if (!key.empty() && SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return refused("redis.tls_key", key);
  }
  return {};
}

RedisTls::~RedisTls() {
  SSL_CTX_free(context_);
}

// Not redisInitiateSSLWithContext(): that checks who signed the certificate, but not for whom.
Status RedisTls::start(redisContext* connection, const std::string& host, Session& session) const {
  session.reset(SSL_new(context_), SSL_free);
  SSL* ssl = session.get();
  if (ssl == nullptr) return {ErrorCode::kUnavailable, "TLS: " + last_error()};
  const bool named =
      is_numeric_address(host)
          ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1
          : SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str());
  if (!named) return {ErrorCode::kUnavailable, "TLS: " + last_error()};
  SSL_up_ref(ssl);  // for the connection, which takes it if it succeeds
  if (redisInitiateSSL(connection, ssl) == REDIS_OK) return {};
  SSL_free(ssl);
  const std::string reason = refusal(session);  // a server nearby may have answered already
  return {ErrorCode::kUnavailable, reason.empty() ? connection->errstr : reason};
}

std::string RedisTls::refusal(const Session& session) {
  if (!session) return "";
  const long result = SSL_get_verify_result(session.get());
  if (result == X509_V_OK) return "";
  return std::string("certificate refused: ") + X509_verify_cert_error_string(result);
}

}  // namespace signalbox::store
