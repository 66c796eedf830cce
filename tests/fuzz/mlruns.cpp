// Any bytes may stand in a meta.yaml and in the file of a metric.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "common/error.hpp"
#include "history/transfer/mlruns_files.hpp"

using namespace lockstep;
using namespace lockstep::history;
using namespace lockstep::history::transfer;

static void require(bool fact) {
  if (!fact) std::abort();
}

static void read_meta(std::string_view text) {
  try {
    const MetaFile meta(text, "meta.yaml");
    meta.text("name");
    meta.integer("start_time");
    meta.pairs("tags");
  } catch (const Error& error) {
    require(error.code() == ExitCode::bad_input);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_meta(text);
  if (const auto line = parse_metric_line(text)) {
    const Metric& metric = line->metric;
    const auto again = parse_metric_line(fmt::format("{} {} {}", metric.timestamp_ms, metric.value, metric.step));
    require(again.has_value() && again->rest.empty());
    require(again->metric == metric || (std::isnan(metric.value) && std::isnan(again->metric.value)));
  }
  return 0;
}
