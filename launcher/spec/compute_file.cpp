// A compute's file: what its keys say together, and the text that is kept.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "launcher/spec/compute_keys.hpp"
#include "launcher/spec/key_checks.hpp"
#include "launcher/spec/quoted.hpp"
#include "launcher/spec/scalar.hpp"
#include "launcher/spec/set_values.hpp"

namespace lockstep::spec {

namespace {

constexpr std::array all_types = {ComputeType::amlcompute, ComputeType::virtualmachine, ComputeType::computeinstance};

unsigned bit_of(ComputeType type) { return 1U << static_cast<unsigned>(type); }

std::string names_of(unsigned types) {
  std::vector<std::string_view> names;
  for (const ComputeType each : all_types)
    if ((types & bit_of(each)) != 0) names.push_back(name_of(each));
  return fmt::format("{}", fmt::join(names, " and "));
}

// Azure ML has them; their files have other keys, so that nothing else in one is worth a complaint.
bool is_another_type(const YamlNode& root, Mistakes& mistakes) {
  const YamlNode* const type = root.find("type");
  for (const char* other : {"kubernetes", "synapsespark"}) {
    if (type == nullptr || !type->is_scalar() || !equal_ignoring_case(type->text, other)) continue;
    mistakes.add(type->mark,
                 fmt::format("computes of type {} are not read; machines that ssh reaches are an amlcompute with an "
                             "engine (docs/compute.md)",
                             other));
    return true;
  }
  return false;
}

// One file, or rather its tree, with --set applied.
class ComputeReader {
 public:
  ComputeReader(const YamlNode& root, ComputeDraft& draft, Mistakes& mistakes)
      : root_(root), draft_(draft), compute_(draft.compute), mistakes_(mistakes), keys_(root, "", mistakes) {}

  void read() {
    keys_.required("name", compute_.name, check_compute_name);
    read_type();
    for (const ComputeKey& each : compute_keys()) {
      const std::string key(each.key);
      if (is_of_this_type(key, each.types)) each.read(keys_, key, draft_);
    }
    if (is_of_this_type("engine", of_cluster | of_machine)) read_engine(keys_, draft_);
    keys_.refuse_others();
    note_what_is_recorded();
    check_name_of_instance();
    check_instances();
    check_license();
  }

 private:
  void read_type() {
    const YamlNode* const type = keys_.find("type");
    if (type == nullptr) return;
    for (const ComputeType each : all_types) {
      if (type->is_scalar() && equal_ignoring_case(type->text, name_of(each))) {
        compute_.type = each;
        return;
      }
    }
    keys_.expect(*type, "type", "amlcompute, virtualmachine or computeinstance");
    types_ = of_all;  // of whichever it was meant to be
  }

  bool is_of_this_type(const std::string& key, unsigned types) {
    const unsigned here = types_.value_or(bit_of(compute_.type));
    if ((types & here) != 0) return true;
    keys_.refuse(key, fmt::format("'{}' is a key of {}, not of {}", key, names_of(types), name_of(compute_.type)));
    return false;
  }

  void note_what_is_recorded() {
    for (const auto& [key, value] : root_.entries) {
      const auto all = compute_keys();
      const bool recorded = std::any_of(all.begin(), all.end(), [&, &name = key.text](const ComputeKey& each) {
        return each.recorded && each.key == name;
      });
      if (recorded) compute_.recorded.push_back(key.text);
    }
  }

  void check_name_of_instance() {
    const YamlNode* const name = root_.find("name");
    const std::size_t length = compute_.name.size();
    if (compute_.type == ComputeType::computeinstance && length > 0 && (length < 3 || length > 24))
      mistakes_.add(name->mark, fmt::format("name must be 3 to 24 characters long for a computeinstance, not {}",
                                            in_quotes(compute_.name)));
  }

  void check_instances() {
    const YamlNode* const most = root_.find("max_instances");
    const YamlNode* const least = root_.find("min_instances");
    if (most != nullptr && !compute_.max_instances) return;  // it is a mistake itself
    const int hosts = compute_.hosts ? static_cast<int>(compute_.hosts->hosts.size()) : 0;
    const int instances = compute_.max_instances.value_or(compute_.hosts ? hosts : 1);
    if (compute_.min_instances <= instances || (compute_.hosts && hosts == 0)) return;
    if (most != nullptr) {
      mistakes_.add(most->mark, fmt::format("max_instances is {}, which is less than min_instances, {}", instances,
                                            compute_.min_instances));
    } else {
      mistakes_.add(least->mark,
                    fmt::format("min_instances is {}, which is more than max_instances, {} unless it is said",
                                compute_.min_instances, instances));
    }
  }

  // A run asks for as many as it has cores.
  void check_license() {
    if (!compute_.slurm || compute_.slurm->license.empty() || root_.find("size") != nullptr) return;
    mistakes_.add(root_.find("engine")->find("license")->mark,
                  "engine.license counts the cores of the compute's size: say `size`, too");
  }

  const YamlNode& root_;
  ComputeDraft& draft_;
  Compute& compute_;
  Mistakes& mistakes_;
  Keys keys_;
  std::optional<unsigned> types_;
};

void keep(YamlNode& node, const ComputeDraft& draft) {
  if (const auto kept = draft.kept_as.find(&node); kept != draft.kept_as.end()) {
    node.text = kept->second;
    node.plain = false;
  }
  for (YamlNode& item : node.items) keep(item, draft);
  for (auto& [key, value] : node.entries) keep(value, draft);
}

}  // namespace

ReadCompute read_compute(std::string_view text, const std::string& file_name, const fs::path& folder,
                         const std::vector<std::string>& sets) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Mistakes mistakes(file_name);
  ComputeDraft draft{folder};
  std::string yaml;
  Mark top{1, 1};
  try {
    YamlNode root = parse_yaml(text);
    top = root.mark;
    if (!root.is_mapping()) mistakes.add(root.mark, "a compute's file is a mapping of keys and values");
    apply_sets(root, sets, mistakes);
    if (root.is_mapping() && !is_another_type(root, mistakes)) ComputeReader(root, draft, mistakes).read();
    mistakes.throw_if_any();
    keep(root, draft);
    yaml = emit_yaml(root);
  } catch (const YamlError& e) {
    mistakes.add(e.mark(), e.what());
  }
  mistakes.throw_if_any();
  try {
    parse_yaml(yaml);  // --set, absolute paths and indentation can take it past what is read
  } catch (const YamlError& e) {
    mistakes.add(top, fmt::format("it could not be read again as it would be kept: {}", e.what()));
  }
  mistakes.throw_if_any();
  return {std::move(draft.compute), std::move(yaml)};
}

ReadCompute read_compute_file(const fs::path& path, const std::vector<std::string>& sets) {
  const YamlLimits limits;
  std::error_code error;
  if (fs::is_directory(path, error)) throw bad_input("{}: is a folder; expected a compute's file", path.string());
  const auto size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
  if (!error && size > limits.bytes)
    throw InputErrors({{path.string(), 1, 1, fmt::format("longer than {} bytes", limits.bytes)}});
  return read_compute(read_file(path, limits.bytes), path.string(), fs::absolute(path).parent_path(), sets);
}

}  // namespace lockstep::spec
