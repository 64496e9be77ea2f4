// The kinds of plays, by the name that a scenario has on the command line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/scenario.h"

namespace bench {

struct Kind {
  const char* name;
  const char* doc;  // what it does, and its parameters beside the common ones
  Scenario::Maker (*maker)(Parameters& parameters);
};

Scenario::Maker make_relay(Parameters& parameters);
Scenario::Maker make_session(Parameters& parameters);
Scenario::Maker make_polling(Parameters& parameters);
Scenario::Maker make_abort(Parameters& parameters);
Scenario::Maker make_slow(Parameters& parameters);
Scenario::Maker make_flood(Parameters& parameters);
Scenario::Maker make_connect(Parameters& parameters);
Scenario::Maker make_check(Parameters& parameters);
Scenario::Maker make_idle(Parameters& parameters);
Scenario::Maker make_loris(Parameters& parameters);
Scenario::Maker make_abandon(Parameters& parameters);

const std::vector<Kind>& kinds();

}  // namespace bench
