#include "hostd/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "hostd/process_use.h"

namespace hostd {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// Counters of one kind make one metric, which tells them apart by the label `cause`. What one of
// them counts no other of its kind does, so that their sum means something.
struct Kind {
  const char* name;
  const char* help;
};
constexpr Kind kRefused = {"refused", "connections, requests, sessions and joins refused"};
constexpr Kind kSessionsDropped = {"sessions_dropped", "sessions closed for what their client did"};
constexpr Kind kMessagesDropped = {"messages_dropped", "messages to clients that were not sent"};
constexpr Kind kEventsDropped = {"events_dropped", "events of clients that were not passed on"};

struct Cause {
  std::string_view counter;
  const Kind* kind;
  const char* name;
};
constexpr Cause kCauses[] = {
    {"connections_refused", &kRefused, "connection_limit"},
    {"connections_refused_address", &kRefused, "address_connections"},
    {"handshakes_displaced", &kRefused, "handshake_limit"},
    {"handshakes_timed_out", &kRefused, "handshake_timeout"},
    {"tls_handshakes_failed", &kRefused, "tls_handshake"},
    {"proxy_headers_invalid", &kRefused, "proxy_header"},
    {"requests_malformed", &kRefused, "malformed_request"},
    {"bodies_too_large", &kRefused, "body_size"},
    {"bodies_refused", &kRefused, "body_memory"},
    {"sessions_refused", &kRefused, "session_limit"},
    {"sessions_limited", &kRefused, "session_rate_limit"},
    {"requests_limited", &kRefused, "rate_limit"},
    {"tokens_refused", &kRefused, "token"},
    {"rooms_full", &kRefused, "room_full"},
    {"sessions_slow_reader", &kSessionsDropped, "slow_reader"},
    {"sessions_silent", &kSessionsDropped, "silent"},
    {"sessions_idle", &kSessionsDropped, "idle"},
    {"packets_invalid", &kSessionsDropped, "invalid_packet"},
    {"messages_too_large", &kSessionsDropped, "message_size"},
    {"messages_dropped", &kMessagesDropped, "gone_or_slow"},
    {"messages_dropped_no_socket", &kMessagesDropped, "no_socket"},
    {"events_dropped_invalid", &kEventsDropped, "invalid"},
    {"events_dropped_no_room", &kEventsDropped, "no_room"},
    {"events_dropped_stranger", &kEventsDropped, "stranger"},
};

uint64_t count(const sbx_engine* engine, size_t index) {
  uint64_t value = 0;
  sbx_engine_counter(engine, index, &value);
  return value;
}

ClientMetric counter(uint64_t value) {
  ClientMetric metric;
  metric.counter.value = static_cast<double>(value);
  return metric;
}

ClientMetric gauge(double value) {
  ClientMetric metric;
  metric.gauge.value = value;
  return metric;
}

// By name: causes of one kind meet in one family.
using Families = std::map<std::string, MetricFamily>;

void add(Families& families, std::string name, std::string help, MetricType type,
         ClientMetric metric) {
  MetricFamily& family = families[name];
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  family.metric.push_back(std::move(metric));
}

void add_counter(Families& families, const sbx_counter_info& info, uint64_t value) {
  const auto* cause = std::find_if(std::begin(kCauses), std::end(kCauses),
                                   [&](const Cause& each) { return each.counter == info.name; });
  ClientMetric metric = counter(value);
  if (cause != std::end(kCauses)) metric.label = {{"cause", cause->name}};
  const Kind kind = cause != std::end(kCauses) ? *cause->kind : Kind{info.name, info.doc};
  add(families, std::string("signalbox_") + kind.name + "_total", kind.help, MetricType::Counter,
      std::move(metric));
}

void add_counters(Families& families, const std::vector<const sbx_engine*>& engines) {
  sbx_counter_info info{};
  info.size = sizeof info;
  for (size_t i = 0; i < sbx_counter_count(); ++i) {
    sbx_counter_get(i, &info);
    uint64_t sum = 0;
    for (const sbx_engine* engine : engines) sum += count(engine, i);
    add_counter(families, info, sum);
  }
}

// By worker, as sessions are: the same room may be at several of them.
void add_gauges(Families& families, const std::vector<const sbx_engine*>& engines) {
  sbx_gauge_info info{};
  info.size = sizeof info;
  for (size_t i = 0; i < sbx_gauge_count(); ++i) {
    sbx_gauge_get(i, &info);
    for (size_t worker = 0; worker < engines.size(); ++worker) {
      uint64_t value = 0;
      sbx_engine_gauge(engines[worker], i, &value);
      ClientMetric metric = gauge(static_cast<double>(value));
      metric.label = {{"worker", std::to_string(worker + 1)}};
      add(families, std::string("signalbox_") + info.name, info.doc, MetricType::Gauge,
          std::move(metric));
    }
  }
}

void add_histograms(Families& families, const std::vector<const sbx_engine*>& engines) {
  sbx_histogram_info info{};
  info.size = sizeof info;
  for (size_t i = 0; i < sbx_histogram_count(); ++i) {
    sbx_histogram_get(i, &info);
    std::vector<uint64_t> total(info.bound_count + 1);
    ClientMetric metric;
    for (const sbx_engine* engine : engines) {
      std::vector<uint64_t> buckets(total.size());
      double sum = 0;
      sbx_engine_histogram(engine, i, buckets.data(), buckets.size(), &sum);
      std::transform(buckets.begin(), buckets.end(), total.begin(), total.begin(), std::plus<>());
      metric.histogram.sample_sum += sum;
    }
    uint64_t& so_far = metric.histogram.sample_count;
    for (size_t bucket = 0; bucket < total.size(); ++bucket) {
      so_far += total[bucket];
      const bool last = bucket == info.bound_count;
      metric.histogram.bucket.push_back(
          {so_far, last ? std::numeric_limits<double>::infinity() : info.bounds[bucket]});
    }
    add(families, std::string("signalbox_") + info.name + "_seconds", info.doc,
        MetricType::Histogram, std::move(metric));
  }
}

size_t index_of(std::string_view name) {
  sbx_counter_info info{};
  info.size = sizeof info;
  size_t i = 0;
  while (sbx_counter_get(i, &info) == SBX_OK && info.name != name) ++i;
  return i;
}

// By worker: whether they share the load is seen here.
void add_sessions(Families& families, const std::vector<const sbx_engine*>& engines) {
  const size_t opened = index_of("sessions_opened");
  const size_t closed = index_of("sessions_closed");
  for (size_t i = 0; i < engines.size(); ++i) {
    // In this order: a session that is closed meanwhile has been opened, too.
    const uint64_t gone = count(engines[i], closed);
    ClientMetric metric = gauge(static_cast<double>(count(engines[i], opened) - gone));
    metric.label = {{"worker", std::to_string(i + 1)}};
    add(families, "signalbox_sessions", "Engine.IO sessions that are open", MetricType::Gauge,
        std::move(metric));
  }
}

void add_build(Families& families) {
  ClientMetric metric = gauge(1);
  metric.label = {{"version", sbx_version()}};
  add(families, "signalbox_build_info", "the version that serves, as a label", MetricType::Gauge,
      std::move(metric));
}

void add_process(Families& families, const ProcessUse& use) {
  const auto add_gauge = [&](const char* name, const char* help, double value) {
    add(families, name, help, MetricType::Gauge, gauge(value));
  };
  add_gauge("process_start_time_seconds", "when the process began, in seconds since 1970",
            use.start_time);
  add_gauge("process_resident_memory_bytes", "memory that the process has in RAM",
            use.resident_memory);
  add_gauge("process_virtual_memory_bytes", "address space of the process", use.virtual_memory);
  add_gauge("process_open_fds", "descriptors that are open", use.open_fds);
  add_gauge("process_max_fds", "descriptors that may be open", use.max_fds);
  add_gauge("process_threads", "threads of the process", use.threads);
  ClientMetric cpu;
  cpu.counter.value = use.cpu_seconds;
  add(families, "process_cpu_seconds_total", "CPU time of the process", MetricType::Counter,
      std::move(cpu));
}

}  // namespace

std::vector<MetricFamily> Metrics::Collect() const {
  Families families;
  add_build(families);
  add_sessions(families, engines_);
  add_counters(families, engines_);
  add_gauges(families, engines_);
  add_histograms(families, engines_);
  if (const std::optional<ProcessUse> use = read_process_use()) add_process(families, *use);
  std::vector<MetricFamily> all;
  for (auto& [name, family] : families) all.push_back(std::move(family));
  return all;
}

std::string Metrics::text() const {
  const prometheus::TextSerializer serializer;
  return static_cast<const prometheus::Serializer&>(serializer).Serialize(Collect());
}

}  // namespace hostd
