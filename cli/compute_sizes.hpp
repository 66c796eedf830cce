// `lockstep compute list-sizes`: the table of Azure's VM sizes that the program brings along.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/query.hpp"
#include "cli/terminal.hpp"
#include "launcher/spec/vm_sizes.hpp"

namespace lockstep::cli {

void add_list_sizes_command(const Command& compute);

struct SizeFilter {
  std::string type;    // "cpu", "gpu" or "fpga": what computes there
  std::string family;  // upper or lower case
  std::string part;    // of the name, upper or lower case
};

// Those that fit, in the order given. Throws Error if no size is of such a family.
std::vector<spec::VmSize> chosen_sizes(std::span<const spec::VmSize> sizes, const SizeFilter& filter);

Json size_json(const spec::VmSize& size);  // null where something is unknown
std::string size_table(std::span<const spec::VmSize> sizes, const Terminal& terminal);

// For tab completion.
std::vector<std::string> size_names();
std::vector<std::string> size_families();

}  // namespace lockstep::cli
