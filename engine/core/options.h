// All options of the engine, in one table: name, type, default, allowed range, unit, and a line of
// documentation. The C ABI, hostd's flags and files, the environment and the documentation are read
// off this table, so that a name is written once (in options.cpp).
//
// Thread: a value; the engine copies it when it is created, and changes its copy on the loop's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/status.h"

namespace signalbox {

// The member initialisers are the defaults. Durations say their unit in the table.
struct Options {
  std::string listen_host = "::";
  int64_t listen_port = 3001;
  int64_t listen_fd = -1;

  int64_t http_max_body = 102400;
  int64_t http_max_header = 16384;
  int64_t http_request_timeout = 10000;
  int64_t http_keep_alive = 75000;
  std::vector<std::string> http_headers;
  int64_t http_max_headers = 100;
  std::vector<std::string> cors_origins;
  std::vector<std::string> proxy_trusted = {"127.0.0.0/8", "::1/128"};
  std::vector<std::string> proxy_protocol;

  std::string tls_cert;
  std::string tls_key;
  std::string tls_min_version = "1.2";

  bool socketio_enabled = true;
  std::string socketio_path = "/socket.io/";
  int64_t socketio_connect_timeout = 45000;
  int64_t socketio_max_attachments = 10;
  int64_t engineio_ping_interval = 25000;
  int64_t engineio_ping_timeout = 20000;
  int64_t engineio_upgrade_timeout = 10000;
  int64_t engineio_max_payload = 1000000;
  int64_t engineio_max_buffered = 4000000;
  int64_t engineio_max_buffered_total = 256000000;

  bool signaling_enabled = true;
  int64_t decision_timeout = 10000;

  std::string auth_jwt_hs256_key;
  std::string auth_jwt_rs256_key;

  std::vector<std::string> turn_urls;
  std::string turn_secret;
  int64_t turn_ttl = 86400;  // as draft-uberti-behave-turn-rest-00 recommends

  int64_t limits_connections = 18000;
  int64_t limits_room_size = 100;
  bool limits_join_enabled = true;
  int64_t limits_join_count = 2;
  int64_t limits_join_window = 5;
  int64_t limits_connections_per_ip = 256;
  int64_t limits_handshakes = 2000;
  int64_t limits_create_count = 120;
  int64_t limits_create_window = 1200;
  int64_t limits_check_count = 120;
  int64_t limits_check_window = 60;
  int64_t limits_guess_count = 120;
  int64_t limits_guess_window = 1200;
  int64_t limits_track_count = 120;
  int64_t limits_track_window = 60;
  int64_t limits_ice_count = 120;
  int64_t limits_ice_window = 1200;
  int64_t limits_connect_count = 0;
  int64_t limits_connect_window = 60;
  int64_t limits_referrers = 10'000;
  int64_t limits_packet_count = 2000;
  int64_t limits_packet_window = 4;

  int64_t rooms_ttl = 86400;
  int64_t rooms_empty_ttl = 900;

  std::string redis_url = "redis://127.0.0.1:6379";
  std::vector<std::string> redis_sentinels;
  std::string redis_master_name;
  std::string redis_sentinel_password;
  std::string redis_tls_ca;
  std::string redis_tls_cert;
  std::string redis_tls_key;
  bool redis_cluster = false;
  int64_t redis_connect_timeout = 1500;
  int64_t redis_command_timeout = 1500;
  int64_t redis_max_pending = 10000;

  int64_t node_ttl = 10000;
  int64_t node_max_buffered = 16'000'000;

  std::string environment = "production";
  int64_t shutdown_drain = 5000;
  int64_t shutdown_timeout = 3000;
};

// The values are part of the C ABI.
enum class OptionType { kString = 0, kInteger = 1, kBoolean = 2, kList = 3 };

struct OptionInfo {
  const char* name;  // "listen.port"
  OptionType type;
  const char* unit;  // "ms", "s", "bytes" or ""
  int64_t minimum;   // of an integer
  int64_t maximum;
  const char* doc;            // one line
  std::string default_value;  // as set_option would take it
  bool live;                  // can change while the engine serves
  bool secret;                // may hold a password or a key: not to be shown
};

// Every option, in the order of the table. The span and its texts live as long as the program.
std::span<const OptionInfo> option_table();

// Sets one option from text: integers in decimal, booleans as true/false/1/0/yes/no/on/off, lists
// comma-separated (an empty text is an empty list). kInvalid when the name is unknown (the text
// suggests the nearest one) or the value is not allowed (the text names the option, the value and
// what is allowed); `options` is then as it was.
Status set_option(Options& options, std::string_view name, std::string_view value);

// Whether set_option() would take this for an engine that serves; kInvalid also when the option is
// one that cannot change then.
Status check_live_option(std::string_view name, std::string_view value);

}  // namespace signalbox
