#include "engine/store/siblings.h"

#include <utility>

namespace signalbox::store {

void Siblings::Inbox::take() {
  std::vector<std::string> messages;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    messages.swap(messages_);
    waiting_ = 0;
  }
  for (const std::string& bytes : messages) {
    if (deliver_) deliver_(bytes);
  }
}

void Siblings::Inbox::close() {
  deliver_ = nullptr;
  take();
}

Siblings::Passed Siblings::Inbox::add(std::string bytes, size_t most) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t waiting = waiting_ + bytes.size();
  if (waiting > most) return Passed::kFull;
  if (messages_.empty() && !loop_.post([self = shared_from_this()] { self->take(); })) {
    return Passed::kAbsent;  // its loop has ended
  }
  messages_.push_back(std::move(bytes));
  waiting_ = waiting;
  return Passed::kYes;
}

void Siblings::enter(const std::string& node, const std::shared_ptr<Inbox>& inbox) {
  const std::lock_guard<std::shared_mutex> lock(mutex_);
  inboxes_.try_emplace(node, inbox);
}

void Siblings::leave(const std::string& node, const std::shared_ptr<Inbox>& inbox) {
  const std::lock_guard<std::shared_mutex> lock(mutex_);
  const auto found = inboxes_.find(node);
  if (found != inboxes_.end() && found->second == inbox) inboxes_.erase(found);
}

Siblings::Passed Siblings::pass(std::string_view node, const Envelope& envelope, size_t most) {
  const std::shared_lock<std::shared_mutex> lock(mutex_);
  const auto found = inboxes_.find(node);
  if (found == inboxes_.end()) return Passed::kAbsent;
  return found->second->add(encode(envelope), most);
}

}  // namespace signalbox::store
