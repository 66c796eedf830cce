#include "runner/checkpoint/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "common/error.hpp"

namespace lockstep::runner {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian, and is copied as it is");

using Json = nlohmann::ordered_json;

static constexpr std::size_t length_bytes = 8;
static constexpr std::uint64_t longest_header = 100'000'000;  // the format's own limit

std::string write_safetensors(const std::vector<TensorBytes>& tensors,
                              const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t end = 0;
  for (const TensorBytes& tensor : tensors) {
    const std::size_t begin = end;
    end += tensor.values.size_bytes();
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(length_bytes, '\0');
  std::memcpy(bytes.data(), &length, length_bytes);
  bytes.reserve(length_bytes + text.size() + end);
  bytes += text;
  for (const TensorBytes& tensor : tensors) {
    bytes.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes());
  }
  return bytes;
}

namespace {
struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  SafetensorsIndex read() {
    const Json header = read_header();
    SafetensorsIndex index;
    for (const auto& [key, value] : header.items()) {
      if (key == "__metadata__") {
        read_metadata(value, index);
      } else {
        index.tensors.emplace(key, read_tensor(key, value));
      }
    }
    check_cover();
    return index;
  }

 private:
  template <class... Args>
  [[nodiscard]] Error wrong(fmt::format_string<Args...> format, Args&&... args) const {
    return bad_input("{}: not a safetensors file: {}", name_, fmt::format(format, std::forward<Args>(args)...));
  }

  Json read_header() {
    if (bytes_.size() < length_bytes) throw wrong("{} bytes", bytes_.size());
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), length_bytes);
    if (length > longest_header || length > bytes_.size() - length_bytes) {
      throw wrong("a header of {} bytes in a file of {}", length, bytes_.size());
    }
    data_begin_ = length_bytes + length;
    const std::string_view text = bytes_.substr(length_bytes, length);
    if (!text.starts_with('{')) throw wrong("the header does not start with '{{'");
    constexpr int deepest = 4;  // {tensor: {shape: [..]}}; a parser's stack must not depend on the input
    bool too_deep = false;
    bool repeated = false;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
      too_deep = too_deep || depth > deepest;
      if (event == Json::parse_event_t::key && depth == 1) {
        const auto& key = value.get_ref<const std::string&>();
        repeated = repeated || !seen_.insert(key).second;
      }
      return !too_deep;
    };
    Json header = Json::parse(text, watch, false);
    if (too_deep || header.is_discarded() || !header.is_object())
      throw wrong("the header is not the JSON it should be");
    if (repeated) throw wrong("a tensor is there twice");
    return header;
  }

  void read_metadata(const Json& value, SafetensorsIndex& index) const {
    if (!value.is_object()) throw wrong("__metadata__ is not an object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) throw wrong("__metadata__ '{}' is not a text", key);
      index.metadata.emplace(key, text.get<std::string>());
    }
  }

  static bool is_list_of_sizes(const Json& value) {
    return value.is_array() &&
           std::all_of(value.begin(), value.end(), [](const Json& each) { return each.is_number_unsigned(); });
  }

  SafetensorsEntry read_tensor(const std::string& key, const Json& value) {
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
      throw wrong("tensor '{}' has not exactly dtype, shape and data_offsets", key);
    }
    if (value["dtype"] != "F32") throw wrong("tensor '{}' is {}; only F32 is read", key, value["dtype"].dump());
    const Json& offsets = value["data_offsets"];
    if (!is_list_of_sizes(value["shape"]) || !is_list_of_sizes(offsets) || offsets.size() != 2) {
      throw wrong("tensor '{}': shape and data_offsets must be lists of sizes", key);
    }
    const std::size_t data = bytes_.size() - data_begin_;
    const Place place{offsets[0].get<std::size_t>(), offsets[1].get<std::size_t>()};
    if (place.begin > place.end || place.end > data) throw wrong("tensor '{}' passes the end of the file", key);
    SafetensorsEntry entry;
    std::size_t count = 1;
    for (const Json& each : value["shape"]) {
      const auto extent = each.get<std::uint64_t>();
      constexpr std::uint64_t largest = std::uint64_t{1} << 62;
      if (extent > largest || (extent != 0 && count > data / extent))
        throw wrong("tensor '{}' is larger than the file", key);
      count *= extent;
      entry.shape.push_back(static_cast<std::int64_t>(extent));
    }
    if (count * sizeof(float) != place.end - place.begin) throw wrong("tensor '{}': shape and offsets disagree", key);
    entry.offset = data_begin_ + place.begin;
    entry.count = count;
    places_.push_back(place);
    return entry;
  }

  void check_cover() {
    std::sort(places_.begin(), places_.end(),
              [](const Place& a, const Place& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
    std::size_t next = 0;
    for (const Place& place : places_) {
      if (place.begin != next) throw wrong("tensors overlap or leave gaps");
      next = place.end;
    }
    if (next != bytes_.size() - data_begin_) throw wrong("bytes that belong to no tensor");
  }

  std::string_view bytes_;
  const std::string& name_;
  std::size_t data_begin_ = 0;
  std::set<std::string> seen_;
  std::vector<Place> places_;
};
}  // namespace

SafetensorsIndex parse_safetensors(std::string_view bytes, const std::string& name) {
  return Reader(bytes, name).read();
}

void copy_tensor(std::string_view bytes, const SafetensorsEntry& entry, std::span<float> values) {
  if (entry.count > 0) std::memcpy(values.data(), bytes.data() + entry.offset, entry.count * sizeof(float));
}

}  // namespace lockstep::runner
