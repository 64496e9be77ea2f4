// What engines have counted and measured, and what this process takes, as Prometheus reads it. Each
// counter of the library is there: the one called "relays" as signalbox_relays_total, unless
// metrics.cpp makes it one cause among others of something.
//
// Thread: any.
#pragma once

#include <string>
#include <vector>

#include <prometheus/collectable.h>

#include "signalbox.h"

namespace hostd {

class Metrics : public prometheus::Collectable {
 public:
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

  // The engines must outlive this.
  explicit Metrics(std::vector<const sbx_engine*> engines) : engines_(std::move(engines)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

  // All of it in Prometheus's text format.
  std::string text() const;

 private:
  const std::vector<const sbx_engine*> engines_;
};

}  // namespace hostd
