// The operator's listener: /metrics, for Prometheus, and a page that draws it. An engine of its own
// that serves HTTP alone, so that a scrape takes no time of the workers', and is answered when they
// have none.
//
// Thread: the main thread; its engine answers on a thread of its own.
// Owner: main. It reads the workers' engines: to be destroyed before them.
#pragma once

#include <string>

#include "hostd/admin_address.h"
#include "hostd/handles.h"
#include "hostd/metrics.h"
#include "hostd/site.h"
#include "hostd/workers.h"

namespace hostd {

class Admin {
 public:
  // The workers must have been made.
  Admin(AdminAddress address, const Workers& workers);
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // Listens. After an error, which sbx_last_error() tells, it can only be destroyed.
  sbx_error start();

  std::string url() const;  // of the page

 private:
  void answer(const sbx_http_request& request) const;

  const AdminAddress address_;
  const Metrics metrics_;
  Site site_;
  Engine engine_;  // last: it calls back until it is gone
};

}  // namespace hostd
