// Any bytes may come as an archive. What is taken for a record must come back the same from its own line, and reading
// must not depend on how the bytes come in pieces.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/error.hpp"
#include "history/transfer/archive_lines.hpp"
#include "history/transfer/archive_reader.hpp"

using namespace lockstep;
using namespace lockstep::history;
using namespace lockstep::history::transfer;

static void require(bool fact) {
  if (!fact) std::abort();
}

namespace {
class Text : public ByteSource {
 public:
  Text(std::string_view text, std::size_t piece) : left_(text), piece_(piece) {}
  std::size_t read(char* to, std::size_t most) override {
    const std::size_t bytes = left_.copy(to, std::min(most, piece_));
    left_.remove_prefix(bytes);
    return bytes;
  }

 private:
  std::string_view left_;
  std::size_t piece_;
};

// Writes down what came, as lines.
class Lines : public Sink {
 public:
  void take(const Experiment& experiment) override { add(line_of(experiment)); }
  void take(const ImportedModel& model) override { add(line_of(model)); }
  void take(const LoggedModel& model) override { add(line_of(model)); }
  void take(const ImportedRun& run, const NextSeries& next) override {
    add(line_of(run));
    std::string key;
    std::vector<Metric> points;
    while (next(key, points)) add(line_of(run.run.run.run_id, key, points));
  }
  void end() override { all += "end\n"; }

  std::string all;

 private:
  void add(const std::string& line) {
    all += line + "\n";
    static RecordParser parser;
    const Record again = parser.parse(line);
    if (const auto* experiment = std::get_if<Experiment>(&again)) require(line_of(*experiment) == line);
    if (const auto* run = std::get_if<ImportedRun>(&again)) require(line_of(*run) == line);
    if (const auto* model = std::get_if<ImportedModel>(&again)) require(line_of(*model) == line);
    if (const auto* model = std::get_if<LoggedModel>(&again)) require(line_of(*model) == line);
    if (const auto* piece = std::get_if<SeriesPiece>(&again)) {
      require(line_of(piece->run_id, piece->key, piece->points) == line);
    }
  }
};
}  // namespace

static std::string read(std::string_view text, std::size_t piece) {
  Lines lines;
  try {
    ArchiveReader(std::make_unique<Text>(text, piece), "fuzz").give(lines);
  } catch (const Error& error) {
    lines.all += error.what();
  }
  return lines.all;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  require(read(text, text.size()) == read(text, 7));
  return 0;
}
