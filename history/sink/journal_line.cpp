// An entry as a line, and back. Written by hand, because the order of members and the digits of numbers must not
// change; read by a SAX handler that knows the few shapes there are and keeps no tree.
#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/utf8.hpp"
#include "history/sink/journal.hpp"

namespace lockstep::history {

using Json = nlohmann::json;

namespace {
void append_text(std::string& line, std::string_view text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
  if (plain) {
    line.append(1, '"').append(text).append(1, '"');
  } else {
    line += Json(replace_invalid_utf8(text)).dump();
  }
}

// The shortest digits that read back as the same double.
void append_number(std::string& line, double value) {
  if (std::isnan(value)) {
    line += "\"NaN\"";
  } else if (std::isinf(value)) {
    line += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else if (value == 0 && std::signbit(value)) {
    line += "-0.0";  // "-0" would be read as an integer, and lose its sign
  } else {
    fmt::format_to(std::back_inserter(line), "{}", value);
  }
}

void append_value(std::string& line, double value) { append_number(line, value); }
void append_value(std::string& line, const std::string& value) { append_text(line, value); }

template <class Pairs>
void append_object(std::string& line, std::string_view name, const Pairs& pairs) {
  if (pairs.empty()) return;
  fmt::format_to(std::back_inserter(line), ",\"{}\":{{", name);
  const char* separator = "";
  for (const auto& [key, value] : pairs) {
    line += separator;
    append_text(line, key);
    line += ':';
    append_value(line, value);
    separator = ",";
  }
  line += '}';
}

void append_progress(std::string& line, const Progress& progress) {
  fmt::format_to(std::back_inserter(line), ",\"progress\":{{\"epoch\":{},\"epochs\":{},\"step\":{},\"steps\":{}",
                 progress.epoch, progress.epochs, progress.step, progress.steps);
  for (const auto& [name, value] : {std::pair{"loss", progress.loss},
                                    {"samples_per_s", progress.samples_per_s},
                                    {"seconds_left", progress.seconds_left}}) {
    fmt::format_to(std::back_inserter(line), ",\"{}\":", name);
    append_number(line, value);
  }
  line += '}';
}
}  // namespace

std::string journal_line(const JournalEntry& entry) {
  std::string line = fmt::format(R"({{"v":1,"rank":{},"seq":{},"step":{},"coll":{},"t":{})", entry.rank, entry.sequence,
                                 entry.step, entry.collective, entry.timestamp_ms);
  append_object(line, "metrics", entry.metrics);
  append_object(line, "params", entry.params);
  append_object(line, "tags", entry.tags);
  if (entry.progress) append_progress(line, *entry.progress);
  line += '}';
  return line;
}

namespace {
// Where the reader stands: in the entry itself, in one of its objects, or in something that it does not know.
enum class Part { outside, entry, metrics, params, tags, progress };

class EntryReader : public nlohmann::json_sax<Json> {
 public:
  // Every callback answers "go on"; false ends the reading: this is no entry.
  bool null() override { return in_unknown(); }
  bool boolean(bool) override { return in_unknown(); }
  bool number_integer(number_integer_t value) override { return integer(value, static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    const bool fits = value <= static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max());
    return fits ? integer(static_cast<std::int64_t>(value), static_cast<double>(value))
                : real(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return real(value); }
  bool string(string_t& value) override { return text(value); }
  bool binary(binary_t&) override { return false; }
  bool key(string_t& value) override {
    if (unknown_depth_ == 0) key_ = std::move(value);
    return true;
  }
  bool start_object(std::size_t) override;
  bool end_object() override;
  bool start_array(std::size_t) override { return enter_unknown(); }
  bool end_array() override { return leave_unknown(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  bool complete() const { return seen_ == all_seen; }
  JournalEntry entry;

 private:
  static constexpr int deepest = 16;
  static constexpr unsigned all_seen = 0b111111;  // v, rank, seq, step, coll, t

  bool integer(std::int64_t value, double as_real);
  bool real(double value);
  bool text(std::string& value);
  bool progress_number(double value);

  bool known_scalar() const {
    return key_ == "v" || key_ == "rank" || key_ == "seq" || key_ == "step" || key_ == "coll" || key_ == "t";
  }
  bool known_object() const { return key_ == "metrics" || key_ == "params" || key_ == "tags" || key_ == "progress"; }
  // A value of a kind that no known member has.
  bool in_unknown() const { return unknown_depth_ > 0 || (part_ == Part::entry && !known_scalar() && !known_object()); }
  bool enter_unknown() {
    if (!in_unknown()) return false;
    return ++unknown_depth_ <= deepest;
  }
  bool leave_unknown() {
    --unknown_depth_;
    return true;
  }
  template <class Integer>
  bool set(Integer& member, std::int64_t value, std::int64_t least, unsigned bit) {
    if (value < least || value >= std::numeric_limits<Integer>::max()) return false;  // one more must fit too
    member = static_cast<Integer>(value);
    seen_ |= bit;
    return true;
  }

  Part part_ = Part::outside;
  std::string key_;
  int unknown_depth_ = 0;
  unsigned seen_ = 0;
};

bool EntryReader::start_object(std::size_t) {
  if (part_ == Part::outside) {
    part_ = Part::entry;
    return true;
  }
  if (unknown_depth_ > 0 || part_ != Part::entry || !known_object()) return enter_unknown();
  part_ = key_ == "metrics"  ? Part::metrics
          : key_ == "params" ? Part::params
          : key_ == "tags"   ? Part::tags
                             : Part::progress;
  if (part_ == Part::progress) entry.progress.emplace();
  return true;
}

bool EntryReader::end_object() {
  if (unknown_depth_ > 0) return leave_unknown();
  part_ = part_ == Part::entry ? Part::outside : Part::entry;
  return true;
}

bool EntryReader::integer(std::int64_t value, double as_real) {
  if (unknown_depth_ > 0 || part_ != Part::entry) return real(as_real);
  constexpr std::int64_t any = std::numeric_limits<std::int64_t>::min();
  if (key_ == "v") {
    seen_ |= 1U;
    return value == 1;
  }
  if (key_ == "rank") return set(entry.rank, value, 0, 2U);
  if (key_ == "seq") return set(entry.sequence, value, 0, 4U);
  if (key_ == "step") return set(entry.step, value, any, 8U);
  if (key_ == "coll") return set(entry.collective, value, 0, 16U);
  if (key_ == "t") return set(entry.timestamp_ms, value, 0, 32U);
  return in_unknown();
}

bool EntryReader::real(double value) {
  if (in_unknown()) return true;
  if (part_ == Part::progress) return progress_number(value);
  if (part_ != Part::metrics) return false;
  entry.metrics.emplace_back(std::move(key_), value);
  return true;
}

bool EntryReader::text(std::string& value) {
  if (in_unknown()) return true;
  if (part_ == Part::params) {
    entry.params.emplace_back(std::move(key_), std::move(value));
    return true;
  }
  if (part_ == Part::tags) {
    entry.tags.emplace_back(std::move(key_), std::move(value));
    return true;
  }
  if (part_ != Part::metrics && part_ != Part::progress) return false;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (value == "NaN") return real(std::numeric_limits<double>::quiet_NaN());
  if (value == "Infinity") return real(infinity);
  if (value == "-Infinity") return real(-infinity);
  return false;
}

bool EntryReader::progress_number(double value) {
  if (!entry.progress) return false;
  Progress& progress = *entry.progress;
  if (key_ == "loss") progress.loss = value;
  if (key_ == "samples_per_s") progress.samples_per_s = value;
  if (key_ == "seconds_left") progress.seconds_left = value;
  constexpr double exact = 9007199254740992.0;  // 2^53: counts beyond it would not be exact
  const bool is_count = value >= 0 && value <= exact && value == std::floor(value);
  if (key_ == "epoch" || key_ == "epochs") {
    if (!is_count || value > std::numeric_limits<int>::max()) return false;
    (key_ == "epoch" ? progress.epoch : progress.epochs) = static_cast<int>(value);
  }
  if (key_ == "step" || key_ == "steps") {
    if (!is_count) return false;
    (key_ == "step" ? progress.step : progress.steps) = static_cast<std::int64_t>(value);
  }
  return true;
}
}  // namespace

std::optional<JournalEntry> parse_journal_line(std::string_view line) {
  if (line.size() < 2 || line.size() > longest_journal_line || line.front() != '{') return std::nullopt;
  EntryReader reader;
  if (!Json::sax_parse(line.begin(), line.end(), &reader) || !reader.complete()) return std::nullopt;
  return std::move(reader.entry);
}

}  // namespace lockstep::history
