#include "engine/store/reconciler.h"

#include <algorithm>
#include <utility>

#include "engine/store/keys.h"

namespace signalbox::store {
namespace {

// Many nodes find Redis back at the same time.
constexpr uint64_t kMaxPauseMs = 500;

constexpr size_t kPageSize = 50;
constexpr const char* kIndexPageSize = "200";

// All nodes that live have bound their sockets again by then.
constexpr int64_t kSettleMs = 5000;

}  // namespace

Reconciler::Reconciler(Loop& loop, const Options& options, Counters& counters, Commands& redis,
                       Registry& registry, Rooms& rooms, Listener& listener)
    : loop_(loop),
      options_(options),
      counters_(counters),
      redis_(redis),
      registry_(registry),
      rooms_(rooms),
      listener_(listener),
      timer_(loop, [this] { begin(); }) {}

void Reconciler::on_registered() {
  settled_ms_ = loop_.now_ms() + static_cast<uint64_t>(std::max(options_.node_ttl, kSettleMs));
  check();
}

void Reconciler::check() {
  ++run_;
  pass_ = Pass::kFirst;
  begin_anew_ = false;
  std::uniform_int_distribution<uint64_t> pause(0, kMaxPauseMs);
  timer_.start(pause(jitter_));
}

void Reconciler::keep_alive() {
  // Half of their time, for this pass may fail, and takes its time.
  const auto period = static_cast<uint64_t>(options_.rooms_ttl) * 1000 / 2;
  if (pass_ != Pass::kNone || loop_.now_ms() - bound_ms_ < period) return;
  pass_ = Pass::kSecond;
  std::uniform_int_distribution<uint64_t> pause(0, kMaxPauseMs);
  timer_.start(pause(jitter_));
}

void Reconciler::try_again_soon() {
  timer_.start(kMaxPauseMs);
}

void Reconciler::begin() {
  if (!registry_.registered()) return;
  if (asking_) return try_again_soon();  // of an earlier run
  attempt([this] {
    if (pass_ == Pass::kFirst) {
      scan_index("0");
    } else {
      begin_binding();
    }
  });
}

// Memory may run out in any step: the pass is begun again then.
void Reconciler::attempt(const auto& step) {
  try {
    step();
  } catch (...) {
    ++run_;
    try_again_soon();
    throw;
  }
}

void Reconciler::scan_index(const std::string& cursor) {
  redis_.command({"HSCAN", node_sockets_key(registry_.id()), cursor, "COUNT", kIndexPageSize},
                 [this, run = run_](const Reply& reply) {
                   if (run != run_) return;
                   if (reply.elements.size() != 2) return try_again_soon();
                   attempt([&] { on_index_page(reply); });
                 });
}

void Reconciler::on_index_page(const Reply& reply) {
  const std::vector<Reply>& entries = reply.elements[1].elements;
  for (size_t i = 0; i + 1 < entries.size(); i += 2) {
    const Binding binding = {entries[i + 1].text, entries[i].text};
    if (listener_.may_be_bound(binding)) continue;
    leave(binding);
  }
  const std::string& cursor = reply.elements[0].text;
  if (cursor != "0") return scan_index(cursor);
  begin_binding();
}

// It stays in the index when that fails, and is found there again.
void Reconciler::leave(const Binding& binding) {
  rooms_.leave(binding.room, binding.socket, {}, [this](const LeaveReply& reply) {
    if (reply.result == LeaveReply::Result::kUnavailable) check();
  });
}

void Reconciler::begin_binding() {
  bound_ms_ = loop_.now_ms();
  todo_ = listener_.bindings();
  bind_page();
}

void Reconciler::bind_page() {
  std::vector<Binding> page;
  while (!todo_.empty() && page.size() < kPageSize) {
    if (listener_.is_bound(todo_.back())) page.push_back(std::move(todo_.back()));
    todo_.pop_back();
  }
  if (page.empty()) {
    if (std::exchange(begin_anew_, false)) return on_registered();
    pass_ = pass_ == Pass::kFirst ? Pass::kSecond : Pass::kNone;
    const uint64_t now = loop_.now_ms();
    if (pass_ == Pass::kSecond) timer_.start(settled_ms_ > now ? settled_ms_ - now : 0);
    return;
  }
  asking_ = true;
  try {
    listener_.on_asking(page);
    rooms_.bind(page, [this, run = run_, page](const BindReply& reply) {
      attempt([&] { on_bind_answer(page, run, reply); });
    });
  } catch (...) {  // nothing was asked
    end_question();
    throw;
  }
}

void Reconciler::on_bind_answer(const std::vector<Binding>& page, uint64_t run,
                                const BindReply& reply) {
  try {
    if (run == run_ && reply.bound) on_page_bound(page, reply);
  } catch (...) {
    end_question();
    throw;
  }
  end_question();
  leave_unbound(page);
  if (run != run_) return;
  if (reply.bound) {
    bind_page();
  } else {
    try_again_soon();
  }
}

void Reconciler::end_question() {
  asking_ = false;
  listener_.on_asked();
}

// Sockets that have gone meanwhile have left before they were bound, if the script had to be sent
// again because Redis did not know it.
void Reconciler::leave_unbound(const std::vector<Binding>& page) {
  for (const auto& [room, socket] : page) {
    if (listener_.may_be_bound({room, socket})) continue;
    leave({room, socket});
  }
}

void Reconciler::on_page_bound(const std::vector<Binding>& page, const BindReply& reply) {
  counters_.sockets_bound_again += page.size();
  for (size_t i = 0; i < page.size(); ++i) {
    const bool settled = pass_ == Pass::kSecond && reply.was_bound[i];
    // Redis has been emptied since the first pass: others may still be binding theirs.
    if (pass_ == Pass::kSecond && !settled) begin_anew_ = true;
    listener_.on_members(page[i].room, reply.members[i], reply.stamps[i], settled);
  }
}

}  // namespace signalbox::store
