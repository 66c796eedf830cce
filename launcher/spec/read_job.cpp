#include "launcher/spec/read_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "launcher/spec/cross_checks.hpp"
#include "launcher/spec/mistakes.hpp"
#include "launcher/spec/quoted.hpp"
#include "launcher/spec/read_keys.hpp"
#include "launcher/spec/scalar.hpp"
#include "launcher/spec/set_values.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

namespace {

// Azure ML has them; a file of such a kind has other keys, so that nothing else in it is worth a complaint.
bool is_another_kind(const YamlNode& root, Mistakes& mistakes) {
  static constexpr std::array kinds = {"pipeline", "sweep",         "automl",     "spark",        "parallel",
                                       "import",   "data_transfer", "finetuning", "distillation", "base"};
  const YamlNode* type = root.find("type");
  if (!type || !type->is_scalar()) return false;
  const auto is_it = [&](const char* kind) { return equal_ignoring_case(kind, type->text); };
  if (std::none_of(kinds.begin(), kinds.end(), is_it)) return false;
  mistakes.add(type->mark,
               fmt::format("{} jobs are read by a later version; this one runs command jobs", in_quotes(type->text)));
  return true;
}

}  // namespace

CommandJob read_job(std::string_view text, const std::string& file_name, const fs::path& folder,
                    std::span<const std::string> sets) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Mistakes mistakes(file_name);
  YamlNode root;
  try {
    root = parse_yaml(text);
  } catch (const YamlError& e) {
    mistakes.add(e.mark(), e.what());
    mistakes.throw_if_any();
  }
  CommandJob job;
  job.folder = folder;
  if (!root.is_mapping()) mistakes.add(root.mark, "a job file is a mapping of keys and values");
  apply_sets(root, sets, mistakes);
  if (root.is_mapping() && !is_another_kind(root, mistakes)) {
    read_keys(root, job, mistakes);
    check_combinations(root, job, mistakes);
    const auto source_of = [&](const Mark& mark) -> std::string_view {
      return mark.set > 0 ? std::string_view(sets[static_cast<std::size_t>(mark.set) - 1]) : text;
    };
    check_expressions(root, job, source_of, mistakes);
  }
  mistakes.throw_if_any();
  return job;
}

CommandJob read_job_file(const fs::path& file, std::span<const std::string> sets) {
  const YamlLimits limits;
  std::error_code error;
  if (fs::is_directory(file, error)) throw bad_input("{}: is a folder; expected a job file", file.string());
  // Asked first, and only of regular files (`lockstep run <(make-job)` has none): reading has a limit of its own.
  const auto size = fs::is_regular_file(file, error) ? fs::file_size(file, error) : 0;
  if (!error && size > limits.bytes)
    throw InputErrors({{file.string(), 1, 1, fmt::format("longer than {} bytes", limits.bytes)}});
  return read_job(read_file(file, limits.bytes), file.string(), fs::absolute(file).parent_path(), sets);
}

}  // namespace lockstep::spec
