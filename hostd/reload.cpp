#include "hostd/reload.h"

#include <string>
#include <utility>

#include "hostd/logging.h"

namespace hostd {
namespace {

sbx_error apply(Workers& workers, const Settings& settings, const std::string& option) {
  if (option != kLogLevel) {
    return workers.set(option.c_str(), settings.values.at(option).c_str());
  }
  set_log_level(settings.log_level());
  return workers.set_log_level(settings.log_level());
}

// The files may have other contents under the names they had.
void read_certificate_again(const Settings& settings, Workers& workers) {
  constexpr const char* kCert = "tls.cert";
  if (workers.set(kCert, settings.values.at(kCert).c_str()) != SBX_OK) {
    log(SBX_LOG_ERROR, "an option did not change",
        {{"option", kCert}, {"error", sbx_last_error()}});
  }
}

}  // namespace

void reload(Settings& settings, Workers& workers) {
  const bool tls = !settings.values.at("tls.cert").empty();
  if (settings.file.empty() && tls) {
    read_certificate_again(settings, workers);
    return;
  }
  if (settings.file.empty()) {
    log(SBX_LOG_WARNING, "SIGHUP: no file to read again, for none was given (--config)");
    return;
  }
  const News news = read_again(settings);
  for (const std::string& each : news.refused) {
    log(SBX_LOG_ERROR, "a setting is refused", {{"error", each}});
  }
  if (!news.refused.empty()) {
    log(SBX_LOG_ERROR, "the file is refused: nothing has changed", {{"file", settings.file}});
    return;
  }
  log(SBX_LOG_INFO, "the file was read again", {{"file", settings.file}});
  for (const auto& [option, value] : news.changed) {
    std::string& current = settings.values.at(option);
    const std::string before = std::exchange(current, value);
    if (apply(workers, settings, option) == SBX_OK) {
      log(SBX_LOG_INFO, "an option changed",
          {{"option", option}, {"value", value}, {"before", before}});
    } else {
      log(SBX_LOG_ERROR, "an option did not change",
          {{"option", option}, {"error", sbx_last_error()}});
      current = before;
    }
  }
  if (tls) read_certificate_again(settings, workers);
  for (const std::string& option : news.waiting) {
    log(SBX_LOG_WARNING, "an option has another value in the file: it changes with a restart",
        {{"option", option}});
  }
}

}  // namespace hostd
