#include "history/transfer/mlruns_files.hpp"

#include <charconv>

#include "common/error.hpp"

namespace lockstep::history::transfer {

MetaFile::MetaFile(std::string_view text, std::string name) : name_(std::move(name)) {
  try {
    top_ = YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    fail(error.mark, error.msg);
  }
  if (!top_.IsMap()) fail(top_.Mark(), "it should be a mapping");
}

MetaFile MetaFile::read(const fs::path& file) {
  constexpr std::uint64_t longest = std::uint64_t{32} << 20;  // a dataset's profile is in one
  return {read_file(file, longest), file.string()};
}

void MetaFile::fail(const YAML::Mark& mark, const std::string& why) const {
  throw bad_input("{}:{}:{}: {}", name_, mark.line + 1, mark.column + 1, why);
}

YAML::Node MetaFile::find(const char* key) const {
  for (const auto& each : top_) {
    if (each.first.IsScalar() && each.first.Scalar() == key) return each.second;
  }
  return YAML::Node(YAML::NodeType::Null);
}

bool MetaFile::has(const char* key) const { return !find(key).IsNull(); }

std::string MetaFile::text(const char* key) const {
  const YAML::Node found = find(key);
  if (found.IsNull()) return {};
  if (!found.IsScalar()) fail(found.Mark(), fmt::format("'{}' should be a text", key));
  return found.Scalar();
}

std::int64_t MetaFile::integer(const char* key) const {
  const std::string digits = text(key);
  if (digits.empty()) return 0;
  std::int64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || stop != end) fail(find(key).Mark(), fmt::format("'{}' should be an integer", key));
  return number;
}

std::vector<KeyValue> MetaFile::pairs(const char* key) const {
  std::vector<KeyValue> all;
  const YAML::Node found = find(key);
  if (found.IsNull()) return all;
  if (!found.IsMap()) fail(found.Mark(), fmt::format("'{}' should be a mapping", key));
  for (const auto& each : found) {
    if (!each.first.IsScalar() || !each.second.IsScalar())
      fail(found.Mark(), fmt::format("'{}' should hold texts", key));
    all.push_back({each.first.Scalar(), each.second.Scalar()});
  }
  return all;
}

static std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

template <class Number>
static bool read_number(std::string_view word, Number& number) {
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && stop == word.data() + word.size();
}

std::optional<MetricLine> parse_metric_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  std::vector<std::string_view> words = words_of(line);
  MetricLine parsed;
  if (words.size() < 2 || !read_number(words[0], parsed.metric.timestamp_ms) ||
      !read_number(words[1], parsed.metric.value)) {
    return std::nullopt;
  }
  if (words.size() > 2 && !read_number(words[2], parsed.metric.step)) return std::nullopt;
  words.erase(words.begin(), words.begin() + std::min<std::ptrdiff_t>(3, std::ssize(words)));
  parsed.rest = std::move(words);
  return parsed;
}

MetricLines::MetricLines(const fs::path& file) : file_(file), stream_(file, std::ios::binary) {
  if (!stream_) throw system_failure("cannot open " + file.string());
}

// A line ends at its newline or at the longest that is looked at, so that no file is read into memory as one line.
std::optional<MetricLine> MetricLines::next() {
  constexpr std::streamsize longest = 4096;
  char text[longest];
  stream_.getline(text, longest);
  if (stream_.eof() && stream_.gcount() == 0) return std::nullopt;
  if (stream_.bad()) throw system_failure("cannot read " + file_.string());
  ++number_;
  line_ = text;
  const bool whole = !stream_.fail() || stream_.eof();
  auto parsed = whole ? parse_metric_line(line_) : std::nullopt;
  if (!parsed) throw bad_input("{}:{}: it should be time, value and step of a metric", file_.string(), number_);
  return parsed;
}

}  // namespace lockstep::history::transfer
