#include "engine/core/options.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <variant>

#include "engine/core/http_token.h"

namespace signalbox {
namespace {

using Texts = std::vector<std::string>;

// What a text, or each text of a list, must look like, in the words of the error and in code.
struct TextRule {
  const char* allowed;
  bool (*accepts)(std::string_view text);
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_path(std::string_view text) {
  const auto printable = [](char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#'; };
  return text.starts_with('/') && text.ends_with('/') &&
         std::all_of(text.begin(), text.end(), printable);
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

// host[:port]
bool is_authority(std::string_view host) {
  // The colons inside an IPv6 literal's brackets are no port.
  const size_t behind_literal = host.starts_with('[') ? host.find(']') : 0;
  if (behind_literal == std::string_view::npos) return false;
  const size_t port = host.find(':', behind_literal);
  if (port != std::string_view::npos) {
    if (!is_port(host.substr(port + 1))) return false;
    host = host.substr(0, port);
  }
  const auto of_host = [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("-._[]:").find(c) != std::string_view::npos;
  };
  return !host.empty() && std::all_of(host.begin(), host.end(), of_host);
}

// As browsers send it in the Origin header: nothing behind the port, not even a slash.
bool is_origin(std::string_view text) {
  if (text == "*") return true;
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto of_scheme = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  if (!std::all_of(text.begin(), text.begin() + static_cast<ptrdiff_t>(colon), of_scheme)) {
    return false;
  }
  return is_authority(text.substr(colon + 3));
}

// RFC 7064 and 7065. Browsers refuse a whole list for one that is anything else.
bool is_ice_url(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (scheme == "stun" || scheme == "stuns") return is_authority(rest);
  const size_t query = rest.find('?');
  return (scheme == "turn" || scheme == "turns") && is_authority(rest.substr(0, query)) &&
         (query == std::string_view::npos || rest.substr(query) == "?transport=udp" ||
          rest.substr(query) == "?transport=tcp");
}

constexpr TextRule kNotEmpty = {"a text that is not empty",
                                [](std::string_view text) { return !text.empty(); }};
constexpr TextRule kAnyText = {"a text", [](std::string_view) { return true; }};
constexpr TextRule kPath = {"a path that begins and ends with '/'", is_path};
constexpr TextRule kOrigins = {"a comma-separated list of scheme://host[:port], or of *",
                               is_origin};
constexpr TextRule kIceUrls = {
    "a comma-separated list of stun:host[:port] and turn:host[:port][?transport=udp|tcp], stuns: "
    "and turns: likewise",
    is_ice_url};
constexpr TextRule kNetworks = {"a comma-separated list of networks such as 10.0.0.0/8",
                                kNotEmpty.accepts};
constexpr TextRule kAddresses = {"a comma-separated list of host[:port]", kNotEmpty.accepts};
constexpr TextRule kTlsVersion = {
    "1.2 or 1.3", [](std::string_view text) { return text == "1.2" || text == "1.3"; }};
constexpr TextRule kHeaderNames = {"a comma-separated list of header names", is_http_token};

struct Entry {
  const char* member;
  // In the order of OptionType.
  std::variant<std::string Options::*, int64_t Options::*, bool Options::*, Texts Options::*> value;
  const char* doc;
  const char* unit = "";
  int64_t minimum = 0;
  int64_t maximum = 0;
  const TextRule* rule = nullptr;
  bool live = false;
  bool secret = false;
};

constexpr Entry integer(const char* member, int64_t Options::*value, const char* unit,
                        int64_t minimum, int64_t maximum, const char* doc) {
  return {member, value, doc, unit, minimum, maximum};
}

constexpr Entry boolean(const char* member, bool Options::*value, const char* doc) {
  return {member, value, doc};
}

template <typename TextOrList>
constexpr Entry text(const char* member, TextOrList Options::*value, const TextRule& rule,
                     const char* doc) {
  return {member, value, doc, "", 0, 0, &rule};
}

// An option that is read where it is used, or else followed up by Node::follow_option().
constexpr Entry live(Entry entry) {
  entry.live = true;
  return entry;
}

constexpr Entry secret(Entry entry) {
  entry.secret = true;
  return entry;
}

constexpr int64_t kHour = 3'600'000;   // ms
constexpr int64_t kYear = 31'536'000;  // s
constexpr int64_t kLeastTurnTtl = 60;  // s: a call needs that long to be set up, and clocks differ
constexpr int64_t kGibibyte = 1 << 30;
constexpr int64_t kMillion = 1'000'000;

#define MEMBER(name) #name, &Options::name

constexpr Entry kEntries[] = {
    text(MEMBER(listen_host), kNotEmpty,
         "address to listen on; \"::\" is every address, IPv4 included"),
    integer(MEMBER(listen_port), "", 0, 65535,
            "TCP port to listen on; 0 lets the system choose one"),
    integer(
        MEMBER(listen_fd), "", -1, kMillion,
        "descriptor of a TCP socket that listens already, which is used in place of listen.host "
        "and listen.port; -1: none"),

    live(integer(MEMBER(http_max_body), "bytes", 1, kGibibyte,
                 "largest body of a request to the HTTP API")),
    integer(MEMBER(http_max_header), "bytes", 1024, 65535, "largest request header"),
    integer(MEMBER(http_request_timeout), "ms", 1, kHour,
            "time a client has to send a whole request"),
    integer(MEMBER(http_keep_alive), "ms", 1, kHour,
            "time a connection may stay open without a request"),
    text(MEMBER(http_headers), kHeaderNames,
         "further request headers that handlers are shown; the well-known ones always are"),
    integer(MEMBER(http_max_headers), "", 1, 1000, "most header lines of a request"),
    live(text(MEMBER(cors_origins), kOrigins,
              "origins that web pages may connect from, beside the server's own")),
    text(MEMBER(proxy_trusted), kNetworks, "proxies whose X-Forwarded-For is believed"),
    text(MEMBER(proxy_protocol), kNetworks,
         "load balancers whose connections begin with a PROXY protocol header, version 1 or 2"),

    live(text(MEMBER(tls_cert), kAnyText,
              "file of the certificate (PEM), with those between it and the authority's behind it; "
              "with it and tls.key the port speaks TLS, and nothing else")),
    live(text(MEMBER(tls_key), kAnyText, "file of the private key (PEM) of tls.cert")),
    text(MEMBER(tls_min_version), kTlsVersion, "oldest version of TLS that is spoken: 1.2 or 1.3"),

    boolean(MEMBER(socketio_enabled),
            "whether Socket.IO is served; without it the port serves HTTP alone"),
    text(MEMBER(socketio_path), kPath, "path that Socket.IO is served under"),
    integer(MEMBER(socketio_connect_timeout), "ms", 1, kHour,
            "time a new session has to connect to a namespace"),
    live(integer(MEMBER(socketio_max_attachments), "", 0, 1000,
                 "most binary attachments of one packet")),
    integer(MEMBER(engineio_ping_interval), "ms", 1, kHour, "time between two pings to a client"),
    integer(MEMBER(engineio_ping_timeout), "ms", 1, kHour, "time a client has to answer a ping"),
    integer(MEMBER(engineio_upgrade_timeout), "ms", 1, kHour,
            "time a client has to complete the upgrade to WebSocket"),
    integer(MEMBER(engineio_max_payload), "bytes", 1, kGibibyte,
            "largest message or polling request"),
    live(integer(
        MEMBER(engineio_max_buffered), "bytes", 1, kGibibyte,
        "bytes that may wait for a client that reads too slowly; beyond them it is closed")),
    live(integer(
        MEMBER(engineio_max_buffered_total), "bytes", 1, 64 * kGibibyte,
        "bytes that may wait for all clients of all engines that share a port, messages and "
        "bodies of theirs that are not complete included; one is closed beyond half of what is "
        "left")),

    boolean(MEMBER(signaling_enabled),
            "whether the room application is served; without it no Redis is needed"),
    integer(MEMBER(decision_timeout), "ms", 1, kHour,
            "time the host's program has to decide about a client, a room or an HTTP request"),

    secret(
        text(MEMBER(auth_jwt_hs256_key), kAnyText,
             "secret of HS256, of 32 bytes at least: joins need a JSON Web Token signed with it")),
    text(MEMBER(auth_jwt_rs256_key), kAnyText,
         "public key of RS256 (PEM), or its file: joins need a JSON Web Token signed with it"),

    text(MEMBER(turn_urls), kIceUrls,
         "TURN and STUN servers that /api/ice_servers tells of, such as turn:turn.example:3478; "
         "none: it tells an empty list"),
    secret(text(
        MEMBER(turn_secret), kAnyText,
        "secret that the TURN servers share (coturn: static-auth-secret); needed with turn: and "
        "turns: URLs")),
    live(integer(MEMBER(turn_ttl), "s", kLeastTurnTtl, kYear,
                 "time for which the credentials of /api/ice_servers open the TURN servers")),

    live(integer(
        MEMBER(limits_connections), "", 1, kMillion,
        "most connections, and most sessions, at a time; of all engines that share a port")),
    live(integer(MEMBER(limits_room_size), "", 1, kMillion, "most sockets in one room")),
    live(boolean(MEMBER(limits_join_enabled), "whether joins are limited per address")),
    live(integer(MEMBER(limits_join_count), "", 1, kMillion,
                 "joins that one address may try within the window")),
    live(integer(MEMBER(limits_join_window), "s", 1, 86400,
                 "length of the window in which joins are counted")),
    live(integer(MEMBER(limits_connections_per_ip), "", 0, kMillion,
                 "most connections at a time of one address, of IPv6 of one /64; 0: no limit")),
    live(integer(
        MEMBER(limits_handshakes), "", 1, kMillion,
        "most connections at a time that have not sent a whole request yet; beyond them the one "
        "that has waited longest is closed")),
    live(integer(MEMBER(limits_create_count), "", 0, kMillion,
                 "rooms that one address may ask for within the window; 0: any number")),
    live(integer(MEMBER(limits_create_window), "s", 1, 86400,
                 "length of the window in which rooms asked for are counted")),
    live(integer(MEMBER(limits_check_count), "", 0, kMillion,
                 "names of rooms that one address may ask about within the window; 0: any number")),
    live(integer(MEMBER(limits_check_window), "s", 1, 86400,
                 "length of the window in which questions about names of rooms are counted")),
    live(integer(MEMBER(limits_guess_count), "", 0, kMillion,
                 "wrong guesses (names of rooms that do not exist, wrong secrets) of one address "
                 "within the window, after which it is told nothing; 0: any number")),
    live(integer(MEMBER(limits_guess_window), "s", 1, 86400,
                 "length of the window in which wrong guesses are counted")),
    live(integer(MEMBER(limits_track_count), "", 0, kMillion,
                 "referrers that one address may report within the window; 0: any number")),
    live(integer(MEMBER(limits_track_window), "s", 1, 86400,
                 "length of the window in which referrers are counted")),
    live(integer(MEMBER(limits_ice_count), "", 0, kMillion,
                 "times that one address may ask for ICE servers within the window; 0: any "
                 "number")),
    live(integer(MEMBER(limits_ice_window), "s", 1, 86400,
                 "length of the window in which questions for ICE servers are counted")),
    live(integer(
        MEMBER(limits_connect_count), "", 0, kMillion,
        "sessions that one address may open within the window, more or less; 0: any number")),
    live(integer(MEMBER(limits_connect_window), "s", 1, 86400,
                 "length of the window in which sessions are counted")),
    live(integer(MEMBER(limits_referrers), "", 1, kMillion,
                 "different referrers that are counted a day; the rest are one")),
    live(integer(MEMBER(limits_packet_count), "", 0, kMillion,
                 "packets that one client may send within the window; those beyond are read later; "
                 "0: any number")),
    live(integer(MEMBER(limits_packet_window), "s", 1, 86400,
                 "length of the window in which a client's packets are counted")),

    live(integer(MEMBER(rooms_ttl), "s", 1, kYear,
                 "time a room lives after its creation or its last join")),
    live(integer(MEMBER(rooms_empty_ttl), "s", 1, kYear,
                 "time a room lives after its last socket has left")),

    secret(text(MEMBER(redis_url), kNotEmpty,
                "Redis server: redis://[[user]:password@]host[:port][/db], rediss:// with TLS, or "
                "unix:///path[?db=n]")),
    text(MEMBER(redis_sentinels), kAddresses,
         "sentinels to ask for the master, host[:port] each; redis.url then tells login, database "
         "and TLS, its host and port are ignored"),
    text(MEMBER(redis_master_name), kAnyText, "name that the sentinels know the master by"),
    secret(text(MEMBER(redis_sentinel_password), kAnyText,
                "password of the sentinels, if they want one")),
    text(MEMBER(redis_tls_ca), kAnyText,
         "file of the authorities (PEM) that may have signed Redis's certificate; without it, the "
         "system's"),
    text(MEMBER(redis_tls_cert), kAnyText,
         "file of the certificate (PEM) to show to Redis, if it wants one"),
    text(MEMBER(redis_tls_key), kAnyText, "file of the private key (PEM) of redis.tls_cert"),
    boolean(MEMBER(redis_cluster),
            "whether redis.url is a node of a Redis Cluster, which then tells us the others"),
    integer(MEMBER(redis_connect_timeout), "ms", 1, kHour, "time Redis has to accept a connection"),
    integer(MEMBER(redis_command_timeout), "ms", 1, kHour, "time Redis has to answer a command"),
    integer(MEMBER(redis_max_pending), "", 1, kMillion, "most commands that may wait for Redis"),

    integer(MEMBER(node_ttl), "ms", 1000, kHour,
            "time without a sign of life after which the others give a node up"),
    live(integer(
        MEMBER(node_max_buffered), "bytes", 1, kGibibyte,
        "bytes that may wait for other nodes, and as many of theirs; beyond them messages are "
        "dropped")),

    live(text(MEMBER(environment), kNotEmpty, "name of the environment, told by /health")),
    live(integer(MEMBER(shutdown_drain), "ms", 0, kHour,
                 "most time over which a stopping engine spreads sending its clients away")),
    live(integer(MEMBER(shutdown_timeout), "ms", 0, kHour,
                 "time a stopping engine has for what is under way then")),
};

#undef MEMBER

// The member listen_port is the option listen.port.
std::string public_name(std::string member) {
  const size_t underscore = member.find('_');
  if (underscore != std::string::npos) member[underscore] = '.';
  return member;
}

std::string to_text(const std::string& value) {
  return value;
}
std::string to_text(int64_t value) {
  return std::to_string(value);
}
std::string to_text(bool value) {
  return value ? "true" : "false";
}
std::string to_text(const Texts& value) {
  std::string joined;
  for (const std::string& text : value) joined += (joined.empty() ? "" : ",") + text;
  return joined;
}

// The names and the rows that point to them; index i belongs to kEntries[i].
struct Table {
  std::vector<std::string> names;
  std::vector<OptionInfo> rows;

  Table() {
    const Options defaults;
    for (const Entry& entry : kEntries) names.push_back(public_name(entry.member));
    for (const Entry& entry : kEntries) {
      rows.push_back(
          {names[rows.size()].c_str(), static_cast<OptionType>(entry.value.index()), entry.unit,
           entry.minimum, entry.maximum, entry.doc,
           std::visit([&](auto member) { return to_text(defaults.*member); }, entry.value),
           entry.live, entry.secret});
    }
  }
};

const Table& table() {
  static const Table kTable;
  return kTable;
}

// The number of letters to insert, delete or replace between two names.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

Status unknown(std::string_view name) {
  constexpr size_t kFurthest = 4;  // further away, a suggestion would be a guess
  constexpr size_t kLongest = 64;  // no name is; a longer one is not worth the comparison
  const std::string* nearest = nullptr;
  size_t distance = kFurthest + 1;
  for (const std::string& candidate : table().names) {
    if (name.size() > kLongest) break;
    const size_t d = edit_distance(name, candidate);
    if (d < distance) {
      distance = d;
      nearest = &candidate;
    }
  }
  std::string text = "unknown option '" + std::string(name) + "'";
  if (nearest != nullptr) text += " (did you mean " + *nearest + "?)";
  return {ErrorCode::kInvalid, std::move(text)};
}

// Each parse gives nothing for a value that the entry does not allow.

std::optional<std::string> parse(const Entry& entry, std::string_view value,
                                 std::string Options::*) {
  if (!entry.rule->accepts(value)) return std::nullopt;
  return std::string(value);
}

std::optional<int64_t> parse(const Entry& entry, std::string_view value, int64_t Options::*) {
  int64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  if (number < entry.minimum || number > entry.maximum) return std::nullopt;
  return number;
}

std::optional<bool> parse(const Entry&, std::string_view value, bool Options::*) {
  if (value == "true" || value == "1" || value == "yes" || value == "on") return true;
  if (value == "false" || value == "0" || value == "no" || value == "off") return false;
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<Texts> parse(const Entry& entry, std::string_view value, Texts Options::*) {
  Texts texts;
  if (trimmed(value).empty()) return texts;
  while (true) {
    const size_t comma = value.find(',');
    const std::string_view text = trimmed(value.substr(0, comma));
    if (!entry.rule->accepts(text)) return std::nullopt;
    texts.emplace_back(text);
    if (comma == std::string_view::npos) return texts;
    value.remove_prefix(comma + 1);
  }
}

std::string allowed(const Entry& entry, OptionType type) {
  switch (type) {
    case OptionType::kInteger: {
      std::string text = "an integer from " + std::to_string(entry.minimum) + " to " +
                         std::to_string(entry.maximum);
      if (*entry.unit != '\0') text += std::string(" (") + entry.unit + ")";
      return text;
    }
    case OptionType::kBoolean:
      return "true or false";
    case OptionType::kString:
    case OptionType::kList:
      break;
  }
  return entry.rule->allowed;
}

}  // namespace

std::span<const OptionInfo> option_table() {
  return table().rows;
}

Status set_option(Options& options, std::string_view name, std::string_view value) {
  const auto& names = table().names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return unknown(name);
  const auto index = static_cast<size_t>(found - names.begin());
  const Entry& entry = kEntries[index];
  const bool accepted = std::visit(
      [&](auto member) {
        auto parsed = parse(entry, value, member);
        if (parsed) options.*member = std::move(*parsed);
        return parsed.has_value();
      },
      entry.value);
  if (accepted) return {};
  return {ErrorCode::kInvalid, "option " + *found + ": '" + std::string(value) +
                                   "' is not allowed; " + allowed(entry, table().rows[index].type)};
}

Status check_live_option(std::string_view name, std::string_view value) {
  Options scratch;
  Status status = set_option(scratch, name, value);
  if (!status.ok()) return status;
  for (const OptionInfo& info : option_table()) {
    if (info.name == name && !info.live) {
      return {ErrorCode::kInvalid,
              "option " + std::string(name) + " cannot change while the engine serves"};
    }
  }
  return {};
}

}  // namespace signalbox
