#include "tests/ptx/traffic/cases.hpp"

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
