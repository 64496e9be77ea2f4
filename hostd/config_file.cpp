#include "hostd/config_file.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <vector>

#include "hostd/option_table.h"

namespace hostd {

Layer read_file(const std::string& path, Faults& faults) {
  Layer layer;
  if (path.empty()) return layer;
  std::ifstream file(path);
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_config(file);
  } catch (const CLI::Error& error) {
    faults.push_back(path + ": " + error.what());
  }
  if (!file.is_open() || file.bad()) faults.push_back("--config: cannot read '" + path + "'");
  for (const CLI::ConfigItem& item : items) {
    if (item.name == "++" || item.name == "--") continue;  // where a section begins or ends
    const std::string name = item.fullname();
    const std::string source = path + ": " + name;
    const Option* option = find_option(name);
    // An unknown name is refused where the value is set, with the nearest name that there is.
    if (option != nullptr && option->info.type != SBX_OPTION_LIST && item.inputs.size() != 1) {
      faults.push_back(source +
                       ": one value is allowed; a text with spaces or commas needs quotes");
      continue;
    }
    layer.push_back({option == nullptr ? name : option->info.name,
                     CLI::detail::join(item.inputs, ","), source});
  }
  return layer;
}

}  // namespace hostd
