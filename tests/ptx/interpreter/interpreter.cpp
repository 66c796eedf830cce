#include "tests/ptx/interpreter/interpreter.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/ptx/interpreter/block.hpp"

namespace lockstep::ptx {

using emulation::KernelError;

void Interpreter::add(const std::string& file, std::string_view text) {
  auto kernels = parse_ptx(file, text);
  kernels_.insert(kernels_.end(), std::move_iterator(kernels.begin()), std::move_iterator(kernels.end()));
}

static std::string text_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw KernelError("no such file: " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Interpreter::add_files(const std::string& list) {
  std::ifstream paths(list);
  for (std::string path; std::getline(paths, path);) add(path.substr(path.rfind('/') + 1), text_of(path));
}

std::vector<std::string> Interpreter::kernel_names() const {
  std::vector<std::string> names;
  for (const auto& each : kernels_) names.push_back(each.name);
  return names;
}

const Program& Interpreter::program(const std::string& name) {
  auto& known = programs_[name];
  if (known) return *known;
  const KernelText* found = nullptr;
  std::vector<std::string> near;  // instances of the template, if it is one
  for (const auto& each : kernels_) {
    if (each.name.substr(0, each.name.find('<')) == name.substr(0, name.find('<'))) near.push_back(each.name);
    if (each.name != name) continue;
    if (found != nullptr)
      throw KernelError(fmt::format("two kernels are named {}: in {} and {}", name, found->file, each.file));
    found = &each;
  }
  if (found == nullptr) {
    throw KernelError(
        fmt::format("no kernel of the PTX files is named {}; there are: {}", name, fmt::join(near, ", ")));
  }
  known = decode(*found);
  return *known;
}

// The parameters as the kernel finds them: each argument at its place.
static std::vector<std::byte> parameters_of(const Program& program,
                                            const std::vector<std::vector<std::byte>>& arguments) {
  if (arguments.size() != program.parameters.size()) {
    throw KernelError(fmt::format("{} arguments for {} parameters", arguments.size(), program.parameters.size()));
  }
  std::vector<std::byte> made(program.parameter_bytes);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& [offset, bytes] = program.parameters[i];
    if (arguments[i].size() != bytes) {
      throw KernelError(fmt::format("argument {} has {} bytes, its parameter {}", i, arguments[i].size(), bytes));
    }
    std::memcpy(made.data() + offset, arguments[i].data(), bytes);
  }
  return made;
}

void Interpreter::run(const std::string& name, const emulation::Grid& grid,
                      const std::vector<std::vector<std::byte>>& arguments) {
  emulation::check_grid(grid);
  const Program& kernel = program(name);
  const dim3& blocks = grid.blocks;
  const std::uint64_t count = std::uint64_t{blocks.x} * blocks.y * blocks.z;
  const std::uint64_t first = global_.begin_launch(count);
  LaunchRecord record{name, grid, {}};
  MemoryAccess memory(global_, parameters_of(kernel, arguments), kernel.shared_bytes + grid.shared_bytes,
                      kernel.local_bytes, grid.threads.x * grid.threads.y * grid.threads.z, first, record.counts);
  BlockRunner runner(kernel, grid, memory);
  for (std::uint64_t i = 0; i < count; ++i) {
    memory.begin_block(first + i);
    runner.run({static_cast<unsigned>(i % blocks.x), static_cast<unsigned>(i / blocks.x % blocks.y),
                static_cast<unsigned>(i / (std::uint64_t{blocks.x} * blocks.y))});
  }
  for (std::size_t i = 0; i < kernel.code.size(); ++i) {
    record.counts.instructions += runner.executed()[i];
    record.counts.mix[static_cast<std::size_t>(kernel.code[i].mix)] += runner.executed()[i];
  }
  if (on_launch) on_launch(record);
}

}  // namespace lockstep::ptx
