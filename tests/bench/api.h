// Calls of the HTTP API, over connections that are kept and used again, as a browser does.
//
// Thread: the only one.
// Owner: main(); it outlives the clients.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/connection.h"
#include "tests/bench/world.h"

namespace bench {

class Api {
 public:
  // `status` is 0 when no answer came.
  using Answered = std::function<void(int status, std::string_view body)>;

  explicit Api(World& world);
  ~Api();

  // Posts JSON. `answered` is called once, never from within.
  void post(std::string_view path, std::string_view address, std::string_view body,
            Answered answered);

  // `answered` is told whether it was 200 with "success":true.
  void create_room(std::string_view room, std::string_view address,
                   std::function<void(bool created, int status)> answered);

 private:
  class Line;

  void keep(Line& line);
  void drop(Line& line);

  World& world_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::vector<Line*> free_;
};

}  // namespace bench
