#include "engine/net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cstring>
#include <ctime>

namespace signalbox::net {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* file) const { BIO_free(file); }
};

// Why OpenSSL refused; nothing of it is left for those who ask next.
std::string reason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(error)) return strerror(ERR_GET_REASON(error));
  const char* text = ERR_reason_error_string(error);
  return text != nullptr ? text : "unknown error";
}

Status refused(const char* option, const std::string& file, const std::string& why) {
  return {ErrorCode::kInvalid, std::string("option ") + option + ": '" + file + "': " + why};
}

Status needs(const char* option, const char* other) {
  return {ErrorCode::kInvalid, std::string("option ") + option + ": needs " + other};
}

// There is nobody at a terminal who could be asked.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

// A client that does not offer HTTP/1.1 is served it all the same, as one that offers nothing.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr std::array<unsigned char, 9> kHttp11 = {8,   'h', 't', 't', 'p',
                                                           '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, kHttp11.data(), kHttp11.size(), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

bool set_rules(SSL_CTX* context, const Options& options) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   // Clients that end without a farewell are as usual as on TCP.
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  // An idle connection keeps no buffers; what waits to be sent may have moved.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);  // or it reads the head of each record by itself
  // Clients keep their sessions themselves, as tickets.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return SSL_CTX_set_min_proto_version(
             context, options.tls_min_version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

}  // namespace

void FreeTls::operator()(struct ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

void FreeTls::operator()(struct ssl_st* session) const {
  SSL_free(session);
}

bool wants_tls(const Options& options) {
  return !options.tls_cert.empty() || !options.tls_key.empty();
}

Status read_tls_context(const Options& options, TlsContext& read) {
  if (options.tls_cert.empty()) return needs("tls.key", "tls.cert");
  if (options.tls_key.empty()) return needs("tls.cert", "tls.key");
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!context || !set_rules(context.get(), options)) return {ErrorCode::kSystem, reason()};
  if (SSL_CTX_use_certificate_chain_file(context.get(), options.tls_cert.c_str()) != 1) {
    return refused("tls.cert", options.tls_cert, reason());
  }
  const std::unique_ptr<BIO, FreeKey> file(BIO_new_file(options.tls_key.c_str(), "r"));
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      file ? PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!key) return refused("tls.key", options.tls_key, reason());
  if (X509_check_private_key(SSL_CTX_get0_certificate(context.get()), key.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    ERR_clear_error();
    return refused("tls.key", options.tls_key,
                   "is not the key of the certificate in '" + options.tls_cert + "'");
  }
  read = std::move(context);
  return {};
}

Validity validity(const TlsContext& context) {
  const X509* certificate = SSL_CTX_get0_certificate(context.get());
  const ASN1_TIME* end = X509_get0_notAfter(certificate);
  std::tm time{};
  std::array<char, 32> text{};
  if (ASN1_TIME_to_tm(end, &time) == 1) {
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &time);
  }
  return {text.data(), X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
                           X509_cmp_current_time(end) > 0};
}

}  // namespace signalbox::net
