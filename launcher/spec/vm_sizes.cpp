#include "launcher/spec/vm_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>

#include "common/embedded.hpp"
#include "common/nearest.hpp"
#include "launcher/spec/key_checks.hpp"
#include "launcher/spec/mistakes.hpp"
#include "launcher/spec/quoted.hpp"
#include "launcher/spec/scalar.hpp"
#include "launcher/spec/yaml_tree.hpp"

namespace lockstep::spec {

std::span<const EmbeddedFile> vm_sizes_file();  // launcher/spec/CMakeLists.txt makes it

namespace {

// Digits with or without a point: no sign, exponent, infinity.
std::optional<double> number_of(std::string_view text) {
  if (text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto number = [&](std::size_t at, std::size_t length) {
    return static_cast<unsigned>(integer_of(text.substr(at, length)).value_or(0));
  };
  using namespace std::chrono;
  return (year(static_cast<int>(number(0, 4))) / month(number(5, 2)) / day(number(8, 2))).ok();
}

// A mapping of the table: each key is asked for once, and what nobody asked for is refused in the end.
class Keys {
 public:
  Keys(const YamlNode& node, std::string shown, Mistakes& mistakes)
      : node_(node), shown_(std::move(shown)), mistakes_(mistakes) {}

  template <class Value>
  void required(const std::string& key, Value& value) {
    if (!optional(key, value))
      mistakes_.add(node_.mark, fmt::format("missing key '{}'{}", key, shown_.empty() ? "" : " in " + shown_));
  }

  template <class Value>
  bool optional(const std::string& key, Value& value) {
    known_.push_back(key);
    const YamlNode* node = node_.find(key);
    if (node != nullptr) read(*node, shown_.empty() ? key : shown_ + "." + key, value);
    return node != nullptr;
  }

  void refuse_others() {
    for (const auto& [key, value] : node_.entries) {
      if (std::find(known_.begin(), known_.end(), key.text) != known_.end()) continue;
      std::string hint = did_you_mean(key.text, known_);
      if (hint.empty()) hint = fmt::format("; known keys: {}", fmt::join(known_, ", "));
      mistakes_.add(key.mark, fmt::format("unknown key {}{}{}", in_quotes(key.text),
                                          shown_.empty() ? "" : " in " + shown_, hint));
    }
  }

 private:
  void expect(const YamlNode& node, const std::string& shown, std::string_view wanted) {
    mistakes_.add(node.mark, fmt::format("{} must be {}, not {}", shown, wanted,
                                         node.is_scalar() ? in_quotes(node.text) : std::string(kind_in_words(node))));
  }

  template <class Value>
  void read(const YamlNode& node, const std::string& shown, std::optional<Value>& value) {
    value = Value{};  // not emplace(): clang 14 takes a struct inside of a struct for one without a constructor
    read(node, shown, *value);
  }

  void read(const YamlNode& node, const std::string& shown, std::string& value) {
    const bool blank = node.text.find_first_not_of(' ') == std::string::npos;
    if (!node.is_scalar() || blank || !check_short_line(node.text).empty())
      return expect(node, shown, "one line of 1 to 255 bytes");
    value = node.text;
  }

  void read(const YamlNode& node, const std::string& shown, int& value) {
    const auto number = node.is_scalar() ? integer_of(node.text) : std::nullopt;
    if (!number || *number < 1 || *number > 1'000'000) return expect(node, shown, "a whole number from 1 to 1000000");
    value = static_cast<int>(*number);
  }

  void read(const YamlNode& node, const std::string& shown, double& value) {
    const auto number = node.is_scalar() ? number_of(node.text) : std::nullopt;
    if (!number || *number <= 0 || *number > 1e6) return expect(node, shown, "a number above 0, at most 1000000");
    value = *number;
  }

  void read(const YamlNode& node, const std::string& shown, bool& value) {
    const auto truth = node.is_scalar() ? boolean_of(node.text) : std::nullopt;
    if (!truth) return expect(node, shown, "true or false");
    value = *truth;
  }

  void read(const YamlNode& node, const std::string& shown, VmSize::Devices& value) {
    if (!node.is_mapping()) return expect(node, shown, "a mapping");
    Keys keys(node, shown, mistakes_);
    keys.required("count", value.count);
    keys.required("type", value.type);
    keys.required("memory_gib", value.memory_gib);
    keys.refuse_others();
  }

  void read(const YamlNode& node, const std::string& shown, VmSize::Network& value) {
    if (!node.is_mapping()) return expect(node, shown, "a mapping");
    Keys keys(node, shown, mistakes_);
    keys.optional("gbps", value.gbps);
    keys.optional("rdma", value.rdma);
    keys.optional("infiniband_gbps", value.infiniband_gbps);
    keys.refuse_others();
  }

  void read(const YamlNode& node, const std::string& shown, VmSize::Price& value) {
    if (!node.is_mapping()) return expect(node, shown, "a mapping");
    Keys keys(node, shown, mistakes_);
    keys.required("usd_per_hour", value.usd_per_hour);
    keys.required("region", value.region);
    keys.required("date", value.date);
    keys.refuse_others();
    if (!value.date.empty() && !is_date(value.date))
      expect(*node.find("date"), shown + ".date", "a day as in 2024-01-31");
  }

  const YamlNode& node_;
  std::string shown_;
  Mistakes& mistakes_;
  std::vector<std::string> known_;
};

VmSize read_size(const YamlNode& node, Mistakes& mistakes) {
  VmSize size;
  Keys keys(node, "", mistakes);
  keys.required("name", size.name);
  keys.required("family", size.family);
  keys.required("vcpus", size.vcpus);
  keys.required("memory_gib", size.memory_gib);
  keys.optional("gpus", size.gpus);
  keys.optional("fpgas", size.fpgas);
  keys.optional("network", size.network);
  keys.optional("low_priority", size.low_priority);
  keys.optional("price", size.price);
  keys.optional("retired", size.retired);
  keys.refuse_others();
  return size;
}

std::vector<VmSize> read_rows(const YamlNode& root, Mistakes& mistakes) {
  std::vector<VmSize> sizes;
  std::map<std::string, int> lines;  // of each name, in lower case
  for (const YamlNode& row : root.items) {
    if (!row.is_mapping()) {
      mistakes.add(row.mark, fmt::format("a size must be a mapping, not {}", kind_in_words(row)));
      continue;
    }
    sizes.push_back(read_size(row, mistakes));
    const std::string& name = sizes.back().name;
    if (name.empty()) continue;
    const Mark& mark = row.find("name")->mark;
    const auto [first, is_new] = lines.emplace(lower_case(name), mark.line);
    if (!is_new) mistakes.add(mark, fmt::format("{} is there already, in line {}", in_quotes(name), first->second));
  }
  return sizes;
}

}  // namespace

std::vector<VmSize> read_vm_sizes(std::string_view text, const std::string& file_name) {
  Mistakes mistakes(file_name);
  std::vector<VmSize> sizes;
  try {
    const YamlNode root = parse_yaml(text);
    if (!root.is_list()) mistakes.add(root.mark, "a table of VM sizes is a list with a mapping for each size");
    sizes = read_rows(root, mistakes);
  } catch (const YamlError& e) {
    mistakes.add(e.mark(), e.what());
  }
  mistakes.throw_if_any();
  return sizes;
}

const std::vector<VmSize>& known_vm_sizes() {
  static const std::vector<VmSize> sizes = read_vm_sizes(vm_sizes_file().front().bytes, "configs/vm_sizes.yml");
  return sizes;
}

const VmSize* find_vm_size(std::string_view name) {
  const auto& sizes = known_vm_sizes();
  const auto found = std::find_if(sizes.begin(), sizes.end(),
                                  [&](const VmSize& each) { return equal_ignoring_case(each.name, name); });
  return found == sizes.end() ? nullptr : &*found;
}

}  // namespace lockstep::spec
