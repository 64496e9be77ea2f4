// hostd's log: one line an event on stderr, in logfmt, with time and level. Where systemd's journal
// listens, which knows the time by itself, the level stands before the line as it wants it.
//
// Thread: open_log() before there are other threads; the others any.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include "signalbox.h"

namespace hostd {

using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Shows lines of `level` and graver ones from now on.
void open_log(sbx_log_level level);

// What is wrong with the settings: a line for a person at a terminal, which is no logfmt. Also
// before the log is open.
void log_fault(std::string_view fault);

// The same once it is open.
void set_log_level(sbx_log_level level);

// Something that hostd has to say; `event` is the same for all lines of its kind.
void log(sbx_log_level level, std::string_view event, LogFields fields = {});

// What an engine says: `line` is logfmt already. `engine` tells which of several that is; "": the
// only one that serves clients.
void log_engine(sbx_log_level level, std::string_view engine, std::string_view line);

}  // namespace hostd
