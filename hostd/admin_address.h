// Where the operator's listener is: the option admin.listen, "port" or "host:port".
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hostd {

struct AdminAddress {
  std::string host = "127.0.0.1";  // an IPv6 address without its brackets
  int port = 0;                    // 0 lets the system choose one
};

// Nothing when the text is no address.
std::optional<AdminAddress> read_admin_address(std::string_view text);

}  // namespace hostd
