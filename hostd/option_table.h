// Every option of hostd in one table: first those of the library, asked of it, then those of
// hostd alone, which own_options.cpp lists. Flags, environment, file and documentation are read off
// this table, so that a name is written once.
//
// Thread: any. The table and its texts live as long as the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "signalbox.h"

namespace hostd {

// What a text must look like, in the words of an error and in code.
struct TextRule {
  const char* allowed;
  bool (*accepts)(const std::string& text);
};

struct Option {
  sbx_option_info info;
  const TextRule* rule = nullptr;  // of a text of hostd's own
  bool own = false;                // hostd's own: the library does not know it
};

const std::vector<Option>& option_table();

std::vector<std::string> option_names();

// The option of that name, or null. Version 1.0 called log.level "log-level".
const Option* find_option(std::string_view name);

// "SIGNALBOX_LISTEN_PORT" for listen.port.
std::string variable_of(const Option& option);

// The default, for a person: what is not the same everywhere is said in words. "" when there is
// none.
std::string default_of(const Option& option);

// Why hostd's own option does not take this value, in the words that the library has for such; ""
// when it does. The default is always allowed.
std::string refusal_of(const Option& option, const std::string& value);

// A value that is allowed as all texts that mean the same are told: "true" for "on".
std::string normal_value(const Option& option, const std::string& value);

}  // namespace hostd
