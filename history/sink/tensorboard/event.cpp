#include "history/sink/tensorboard/event.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "common/utf8.hpp"
#include "history/sink/tensorboard/message.hpp"

namespace lockstep::history::tensorboard {

namespace {
enum EventField { wall_time = 1, step_field = 2, file_version = 3, summary_field = 5 };
enum SummaryField { summary_value = 1 };
enum ValueField { value_tag = 1, simple_value = 2, value_tensor = 8, value_metadata = 9 };
enum MetadataField { plugin_data = 1, data_class = 4 };
enum PluginField { plugin_name = 1 };
enum TensorField { tensor_dtype = 1, tensor_shape = 2, tensor_content = 4, string_values = 8 };
enum ShapeField { shape_dimension = 2 };
enum DimensionField { dimension_size = 1 };
constexpr int double_type = 2;
constexpr int string_type = 7;
constexpr int class_tensor = 2;

double seconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

// A cast of what does not fit is undefined.
float as_float(double value) {
  constexpr auto limits = std::numeric_limits<float>();
  if (std::isfinite(value) && std::abs(value) > static_cast<double>(limits.max())) {
    return value > 0 ? limits.infinity() : -limits.infinity();
  }
  return static_cast<float>(value);
}

std::string event_of(const Moment& moment, const Message& summary) {
  Message event;
  event.real(wall_time, seconds(moment.timestamp_ms)).integer(step_field, moment.step).message(summary_field, summary);
  return event.bytes();
}

// A tensor and whose it is: of the plugin that shows it.
std::string tensor_event(const Moment& moment, std::string_view name, std::string_view plugin, const Message& tensor) {
  Message value;
  value.text(value_tag, replace_invalid_utf8(name)).message(value_tensor, tensor);
  value.message(value_metadata,
                Message().message(plugin_data, Message().text(plugin_name, plugin)).integer(data_class, class_tensor));
  return event_of(moment, Message().message(summary_value, value));
}

std::string markdown_cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      cell += ' ';
    } else {
      if (c == '|' || c == '\\' || c == '`' || c == '*' || c == '_' || c == '<') cell += '\\';
      cell += c;
    }
  }
  return cell;
}
}  // namespace

std::string scalars_event(const Moment& moment, const Scalars& scalars) {
  Message summary;
  for (const auto& [name, value] : scalars) {
    summary.message(summary_value,
                    Message().text(value_tag, replace_invalid_utf8(name)).real32(simple_value, as_float(value)));
  }
  return event_of(moment, summary);
}

std::string text_event(const Moment& moment, std::string_view name, std::string_view markdown) {
  Message tensor;  // of no dimension: one text
  tensor.integer(tensor_dtype, string_type).message(tensor_shape, {});
  tensor.text(string_values, replace_invalid_utf8(markdown));
  return tensor_event(moment, name, "text", tensor);
}

std::string markdown_table(std::span<const std::pair<std::string, std::string>> rows) {
  std::string table = "| name | value |\n|---|---|\n";
  for (const auto& [name, value] : rows) table += "| " + markdown_cell(name) + " | " + markdown_cell(value) + " |\n";
  return table;
}

std::string histogram_event(const Moment& moment, std::string_view name, std::span<const Bucket> buckets) {
  std::string numbers;
  const auto append = [&numbers](double value) {
    append_little_endian(numbers, std::bit_cast<std::uint64_t>(value), 8);
  };
  for (const auto& [left, right, count] : buckets) {
    append(left);
    append(right);
    append(count);
  }
  Message shape;
  for (const std::int64_t size : {static_cast<std::int64_t>(buckets.size()), std::int64_t{3}}) {
    shape.message(shape_dimension, Message().integer(dimension_size, size));
  }
  Message tensor;
  tensor.integer(tensor_dtype, double_type).message(tensor_shape, shape).text(tensor_content, numbers);
  return tensor_event(moment, name, "histograms", tensor);
}

std::string version_event(std::int64_t timestamp_ms) {
  return Message().real(wall_time, seconds(timestamp_ms)).text(file_version, "brain.Event:2").bytes();
}

}  // namespace lockstep::history::tensorboard
