#include <fmt/format.h>

#include <algorithm>

#include "common/nearest.hpp"
#include "launcher/spec/cross_checks.hpp"
#include "launcher/spec/expression.hpp"
#include "launcher/spec/quoted.hpp"

namespace lockstep::spec {

namespace {

// Where value[begin, begin + length) stands in the source. A value differs from its source by indentation, folding and
// quotes, but an expression itself is nearly always there letter for letter: the n-th in the value is the n-th in the
// source. Where it is not (an escape inside it), the place of the whole value has to do.
Mark place_in(const YamlNode& node, std::size_t begin, std::size_t length, std::string_view source) {
  const std::string_view value = node.text;
  const std::string_view wanted = value.substr(begin, length);
  if (node.mark.offset < 0) return node.mark;
  auto at = static_cast<std::size_t>(node.mark.offset);
  std::size_t before = 0;
  for (std::size_t i = value.find(wanted); i < begin; i = value.find(wanted, i + 1)) ++before;
  at = source.find(wanted, at);
  for (; before > 0 && at != std::string_view::npos; --before) at = source.find(wanted, at + 1);
  if (at == std::string_view::npos) return node.mark;
  Mark mark = node.mark;
  const auto start = static_cast<std::size_t>(node.mark.offset);
  mark.offset = static_cast<int>(at);
  const std::size_t newline = source.substr(0, at).rfind('\n');
  if (mark.set > 0 || newline == std::string_view::npos || newline < start) {
    mark.column += static_cast<int>(at - start);
  } else {
    mark.line += static_cast<int>(std::count(source.begin() + node.mark.offset, source.begin() + mark.offset, '\n'));
    mark.column = static_cast<int>(at - newline);
  }
  return mark;
}

template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  names.reserve(map.size());
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

// What a text may refer to besides ${{name}}.
struct Scope {
  bool data = false;       // inputs and outputs
  bool secrets = false;    // of the submitter's environment
  bool datastore = false;  // ${{default_datastore}}
};

class ExpressionChecker {
 public:
  ExpressionChecker(const CommandJob& job, const std::function<std::string_view(const Mark&)>& source_of,
                    Mistakes& mistakes)
      : job_(job), source_of_(source_of), mistakes_(mistakes) {}

  void check(const YamlNode* node, Scope scope) {
    if (!node || !node->is_scalar()) return;
    const auto malformed = [&](std::size_t offset, const std::string& what) {
      complain(*node, offset, std::min<std::size_t>(3, node->text.size() - offset), what);
    };
    for (const Reference& reference : references_in(node->text, malformed)) {
      const std::string what = fault_of(reference, scope);
      if (!what.empty()) complain(*node, reference.begin, reference.end - reference.begin, what);
    }
  }

 private:
  void complain(const YamlNode& node, std::size_t begin, std::size_t length, const std::string& what) {
    const bool exact = !mistakes_.is_full();
    mistakes_.add(exact ? place_in(node, begin, length, source_of_(node.mark)) : node.mark, what);
  }

  std::string fault_of(const Reference& reference, Scope scope) const {
    if (mistakes_.is_full()) return has_fault(reference, scope) ? "more" : "";
    const auto& path = reference.path;
    const std::string shown = in_quotes(fmt::format("{}", fmt::join(path, ".")));
    if (path[0] == "search_space") return shown + " has a meaning only in a sweep job";
    if (path[0] == "parent") return shown + " has a meaning only in a step of a pipeline";
    if (!has_fault(reference, scope)) return "";
    if (scope.data && path.size() == 2 && path[0] == "inputs") return input_fault(path[1], shown);
    if (scope.data && path.size() == 2 && path[0] == "outputs")
      return undefined(shown, "outputs", path[1], names_of(job_.outputs));
    std::vector<std::string> roots = {"name"};
    std::string known = "${{name}}";
    if (scope.data) roots.insert(roots.end(), {"inputs", "outputs"});
    if (scope.data) known = "${{inputs.<name>}}, ${{outputs.<name>}} and " + known;
    if (scope.secrets) known = "${{secrets.<variable>}}, " + known;
    if (scope.datastore) known += " and ${{default_datastore}}";
    std::string hint = did_you_mean(path[0], roots);
    if (std::find(roots.begin(), roots.end(), path[0]) != roots.end()) hint.clear();
    return fmt::format("{} is no expression here; known: {}{}", shown, known, hint);
  }

  bool has_fault(const Reference& reference, Scope scope) const {
    const auto& path = reference.path;
    if (path.size() == 1) return path[0] != "name" && !(scope.datastore && path[0] == "default_datastore");
    if (scope.secrets && path[0] == "secrets") return false;
    if (!scope.data || path.size() != 2) return true;
    if (path[0] == "outputs") return !job_.outputs.contains(path[1]);
    const auto input = job_.inputs.find(path[1]);
    if (path[0] != "inputs" || input == job_.inputs.end()) return true;
    const bool unset = !input->second.is_literal && input->second.optional && input->second.path.empty();
    return unset && !reference.in_optional;
  }

  std::string input_fault(const std::string& name, const std::string& shown) const {
    if (job_.inputs.contains(name))
      return fmt::format("{} is optional and has no path; put what needs it into $[[ ]]", shown);
    return undefined(shown, "inputs", name, names_of(job_.inputs));
  }

  static std::string undefined(const std::string& shown, std::string_view where, const std::string& name,
                               const std::vector<std::string>& known) {
    std::string hint = did_you_mean(name, known);
    if (hint.empty()) hint = known.empty() ? fmt::format("; there are no {}", where) : "";
    return fmt::format("{} is not defined{}", shown, hint);
  }

  const CommandJob& job_;
  const std::function<std::string_view(const Mark&)>& source_of_;
  Mistakes& mistakes_;
};

}  // namespace

void check_expressions(const YamlNode& root, const CommandJob& job,
                       const std::function<std::string_view(const Mark&)>& source_of, Mistakes& mistakes) {
  ExpressionChecker checker(job, source_of, mistakes);
  for (const char* key : {"command", "preparation"}) checker.check(root.find(key), {.data = true});
  if (const YamlNode* variables = root.find("environment_variables"))
    for (const auto& [name, value] : variables->entries) checker.check(&value, {.data = true, .secrets = true});
  if (const YamlNode* inputs = root.find("inputs"))
    for (const auto& [name, value] : inputs->entries) checker.check(value.find("path"), {.secrets = true});
  if (const YamlNode* outputs = root.find("outputs"))
    for (const auto& [name, value] : outputs->entries) checker.check(value.find("path"), {.datastore = true});
}

}  // namespace lockstep::spec
