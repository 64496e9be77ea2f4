// A file that is part of the executable: see hostd/embed.cmake.
//
// Thread: any. Both texts live as long as the program.
#pragma once

#include <string_view>

namespace hostd {

struct EmbeddedFile {
  std::string_view path;  // under which it was put in
  std::string_view content;
};

}  // namespace hostd
