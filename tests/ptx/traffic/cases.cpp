#include "tests/ptx/traffic/cases.hpp"

#include <regex>

#include "tests/ptx/on_interpreter/device.hpp"

namespace lockstep::ptx {

const std::vector<TrafficCase>& traffic_cases() {
  static const std::vector<TrafficCase> all = [] {
    std::vector<TrafficCase> made;
    for (const auto& part : {arena_cases(), layer_cases(), transformer_cases()}) {
      made.insert(made.end(), part.begin(), part.end());
    }
    return made;
  }();
  return all;
}

bool takes_single_elements(const std::string& kernel) {
  static const std::regex single(
      "(bias_gelu_forward|bias_gelu_backward|norm_forward|norm_backward|embedding_forward|add_token_rows|sum_positions)"
      "<\\w+, 1(, \\w+)?>");
  return std::regex_match(kernel, single);
}

LaunchRecord measure(const TrafficCase& what) {
  LaunchRecord sum{what.kernel, {}, {}};
  const auto device = make_device();
  const auto stream = device->make_stream();
  interpreter().on_launch = [&](const LaunchRecord& record) {
    if (record.kernel != what.kernel) return;
    sum.grid = record.grid;
    sum.counts += record.counts;
  };
  what.run(*device, *stream);
  stream->synchronize();
  interpreter().on_launch = {};
  return sum;
}

}  // namespace lockstep::ptx
