#include "engine/store/redis_connection.h"

#include <fcntl.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <utility>

#include "engine/store/redis_events.h"

namespace signalbox::store {
namespace {

Reply to_reply(const redisReply& from) {
  Reply reply;
  switch (from.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.type = Reply::Type::kText;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ERROR:
      reply.type = Reply::Type::kError;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_INTEGER:
      reply.type = Reply::Type::kInteger;
      reply.integer = from.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.type = Reply::Type::kArray;
      reply.elements.reserve(from.elements);
      for (size_t i = 0; i < from.elements; ++i) {
        reply.elements.push_back(to_reply(*from.element[i]));
      }
      break;
    default:
      reply.type = Reply::Type::kNil;
      break;
  }
  return reply;
}

// hiredis ends and frees a connection in its own time, perhaps after ours is gone: then `data` is
// null.
RedisConnection* owner(const redisAsyncContext* context) {
  return static_cast<RedisConnection*>(context->data);
}

std::string error_of(const redisAsyncContext* context, const RedisTls::Session& session) {
  const std::string refusal = RedisTls::refusal(session);
  if (!refusal.empty()) return refusal;
  return context->c.err != 0 ? context->c.errstr : "closed by Redis";
}

// Of our own: hiredis 0.14 aborts the process when it has no memory to put a command together.
std::string formatted(const std::vector<std::string>& arguments) {
  constexpr size_t kPerArgument = 16;
  size_t size = kPerArgument;
  for (const std::string& argument : arguments) size += argument.size() + kPerArgument;
  std::string command;
  command.reserve(size);
  command += '*' + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) {
    command += '$' + std::to_string(argument.size()) + "\r\n";
    command += argument;
    command += "\r\n";
  }
  return command;
}

}  // namespace

// hiredis is not made for exceptions to pass through.
struct RedisCallbacks {
  static void connected(const redisAsyncContext* context, int status) {
    RedisConnection* self = owner(context);
    if (self == nullptr) return;
    if (status != REDIS_OK) return ended(*self, context);
    self->loop_.guard([&] { self->log_in(); });  // if it fails, the timer ends the attempt
  }

  static void disconnected(const redisAsyncContext* context, int) {
    RedisConnection* self = owner(context);
    if (self != nullptr) ended(*self, context);
  }

  // hiredis frees the context when its callback returns; freeing it there would free it twice.
  static void ended(RedisConnection& self, const redisAsyncContext* context) {
    std::exchange(self.context_, nullptr)->data = nullptr;
    std::string reason;
    self.loop_.guard([&] { reason = error_of(context, self.session_); });
    self.loop_.guard([&] { self.lose(reason); });
  }

  static void replied(redisAsyncContext* context, void* reply, void*) {
    RedisConnection* self = owner(context);
    // Without a reply the connection is ending, which disconnected() tells.
    if (self == nullptr || reply == nullptr) return;
    Loop& loop = self->loop_;
    Reply converted;
    const bool whole =
        loop.guard([&] { converted = to_reply(*static_cast<const redisReply*>(reply)); });
    loop.guard([&] {
      if (!whole) {
        self->lose(RedisConnection::kNoMemory);  // no later reply may be taken for this one
      } else if (self->ready_) {
        self->listener_.on_reply(converted);
      } else {
        const std::string command = self->login_.front();
        self->login_.erase(self->login_.begin());
        self->on_login_reply(command, converted);
      }
    });
  }
};

RedisConnection::RedisConnection(Loop& loop, const RedisUrl& url, const RedisTls* tls, Role role,
                                 uint64_t timeout_ms, Listener& listener)
    : loop_(loop),
      url_(url),
      tls_(tls),
      role_(role),
      timeout_ms_(timeout_ms),
      listener_(listener),
      timer_(loop, [this] { give_up(); }) {}

RedisConnection::~RedisConnection() {
  if (context_ == nullptr) return;
  context_->data = nullptr;
  redisAsyncFree(context_);
}

Status RedisConnection::open(const std::string& address) {
  context_ = url_.is_unix ? redisAsyncConnectUnix(address.c_str())
                          : redisAsyncConnect(address.c_str(), url_.port);
  if (context_ == nullptr) return {ErrorCode::kUnavailable, "out of memory"};
  // Of a context that failed the destructor disposes.
  if (context_->err != 0) return {ErrorCode::kUnavailable, error_of(context_, session_)};
  // hiredis leaves its descriptor open to the programs that the host starts.
  fcntl(context_->c.fd, F_SETFD, FD_CLOEXEC);
  if (!url_.is_unix && redisEnableKeepAlive(&context_->c) != REDIS_OK) {
    return {ErrorCode::kUnavailable, error_of(context_, session_)};
  }
  if (url_.tls) {
    if (tls_ == nullptr)
      return {ErrorCode::kUnavailable, "TLS: a file of redis.tls_* is of no use"};
    const Status status = tls_->start(&context_->c, url_.host, session_);
    if (!status.ok()) return status;
  }
  if (!RedisEvents::attach(loop_, context_)) {
    return {ErrorCode::kUnavailable, "the system refuses to watch the connection"};
  }
  context_->data = this;
  redisAsyncSetDisconnectCallback(context_, RedisCallbacks::disconnected);
  // Last: it makes hiredis wait for the connection.
  redisAsyncSetConnectCallback(context_, RedisCallbacks::connected);
  timer_.start(timeout_ms_);
  return {};
}

bool RedisConnection::send(const std::vector<std::string>& arguments) {
  const std::string command = formatted(arguments);
  const auto* last = context_->replies.tail;
  if (redisAsyncFormattedCommand(context_, RedisCallbacks::replied, nullptr, command.data(),
                                 command.size()) != REDIS_OK) {
    return false;
  }
  // hiredis 0.14 does not tell when it had no memory to note that it owes us a reply, and would
  // abort at that.
  const bool noted = context_->replies.tail != last || (context_->c.flags & REDIS_SUBSCRIBED) != 0;
  if (!noted) timer_.start(0);
  return noted;
}

void RedisConnection::give_up() {
  timer_.start(timeout_ms_);  // should memory be wanting even for the reason
  lose(ready_ ? kNoMemory : "not ready within " + std::to_string(timeout_ms_) + " ms");
}

void RedisConnection::log_in() {
  std::vector<std::vector<std::string>> commands;
  if (!url_.password.empty()) {
    // Redis before 6 knows only the form without a user.
    commands.push_back(url_.user.empty()
                           ? std::vector<std::string>{"AUTH", url_.password}
                           : std::vector<std::string>{"AUTH", url_.user, url_.password});
  }
  if (url_.db != 0) commands.push_back({"SELECT", std::to_string(url_.db)});
  // A Redis that hangs, loads its data or has too many clients accepts connections all the same.
  commands.push_back({"PING"});
  if (role_ == Role::kMaster) commands.push_back({"ROLE"});
  for (const auto& command : commands) {
    login_.push_back(command[0]);
    // hiredis does not let go of a connection inside this callback; should it refuse a command, the
    // timer ends the attempt.
    if (!send(command)) return;
  }
}

void RedisConnection::on_login_reply(std::string_view command, const Reply& reply) {
  if (reply.type == Reply::Type::kError) return lose(std::string(command) + ": " + reply.text);
  if (command == "ROLE" && (reply.elements.empty() || reply.elements[0].text != "master")) {
    return lose("it is no master");
  }
  if (!login_.empty()) return;
  ready_ = true;
  timer_.stop();
  listener_.on_ready();
}

void RedisConnection::lose(const std::string& reason) {
  timer_.stop();
  if (context_ != nullptr) {
    context_->data = nullptr;
    redisAsyncFree(std::exchange(context_, nullptr));
  }
  listener_.on_lost(reason);  // likely to destroy this
}

}  // namespace signalbox::store
