#include "engine/store/cleaner.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/store/keys.h"

namespace signalbox::store {
namespace {

// Sockets that are dealt with in one go; the claim is renewed with each page.
constexpr const char* kScanPage = "100";

}  // namespace

Cleaner::Cleaner(Log& log, Counters& counters, Commands& redis, Registry& registry, Rooms& rooms)
    : log_(log), counters_(counters), redis_(redis), registry_(registry), rooms_(rooms) {}

void Cleaner::clean(const std::string& node) {
  if (std::find(nodes_.begin(), nodes_.end(), node) != nodes_.end()) return;
  nodes_.push_back(node);
  if (nodes_.size() == 1) begin();
}

void Cleaner::give_up() {
  nodes_.clear();
  cleaned_ = 0;
  ++run_;
}

void Cleaner::next_node() {
  ++run_;
  cleaned_ = 0;
  nodes_.pop_front();
  if (!nodes_.empty()) begin();
}

// The claim may have been lost while other nodes came first.
void Cleaner::begin() {
  renew([this] { set_aside(); });
}

void Cleaner::set_aside() {
  rooms_.set_aside(departed_, [this, run = run_](int64_t count) {
    if (run != run_) return;
    if (count < 0) return next_node();
    if (count == 0) return finish();
    renew([this] { scan("0"); });
  });
}

void Cleaner::renew(std::function<void()> then) {
  registry_.renew_claim(nodes_.front(), [this, run = run_, then = std::move(then)](
                                            const std::optional<std::string>& token) {
    if (run != run_) return;
    if (!token) return next_node();
    departed_ = {nodes_.front(), *token};
    then();
  });
}

void Cleaner::scan(const std::string& cursor) {
  redis_.command({"HSCAN", node_left_key(nodes_.front()), cursor, "COUNT", kScanPage},
                 [this, run = run_](const Reply& reply) {
                   if (run != run_) return;
                   if (reply.elements.size() != 2) return next_node();
                   clean_page(reply.elements[1], reply.elements[0].text);
                 });
}

// `page`: socket, room, socket, room...
void Cleaner::clean_page(const Reply& page, const std::string& cursor) {
  struct Progress {
    size_t answers_due;
    bool lost = false;
  };
  const auto progress = std::make_shared<Progress>(Progress{page.elements.size() / 2});
  if (progress->answers_due == 0) return on_page_done(false, cursor);
  for (size_t i = 0; i + 1 < page.elements.size(); i += 2) {
    rooms_.clean(departed_, page.elements[i + 1].text, page.elements[i].text,
                 [this, run = run_, progress, cursor](const LeaveReply& reply) {
                   using Result = LeaveReply::Result;
                   progress->lost = progress->lost || reply.result == Result::kLost ||
                                    reply.result == Result::kUnavailable;
                   if (run != run_) return;
                   if (reply.result == Result::kLeft) ++cleaned_;
                   if (--progress->answers_due == 0) on_page_done(progress->lost, cursor);
                 });
  }
}

void Cleaner::on_page_done(bool lost, const std::string& cursor) {
  if (lost) return next_node();
  if (cursor != "0") {
    return renew([this, cursor] { scan(cursor); });
  }
  set_aside();  // what came to the index since, if anything
}

void Cleaner::finish() {
  const std::string& node = nodes_.front();
  log_.info("a node has departed: its sockets were taken out of their rooms",
            {{"node", node}, {"sockets", cleaned_}});
  ++counters_.nodes_cleaned;
  registry_.release_claim(node);
  next_node();
}

}  // namespace signalbox::store
