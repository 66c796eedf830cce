#include "history/transfer/archive_writer.hpp"

#include "common/clock.hpp"
#include "history/transfer/archive_lines.hpp"

namespace lockstep::history::transfer {

ArchiveWriter::ArchiveWriter(const fs::path& path) : file_(path) { write(first_line(now_ms())); }

void ArchiveWriter::write(const std::string& line) {
  constexpr std::size_t enough = 256 * 1024;
  buffer_ += line;
  buffer_ += '\n';
  if (buffer_.size() >= enough) flush();
}

void ArchiveWriter::flush() {
  file_.write(buffer_);
  buffer_.clear();
}

void ArchiveWriter::take(const Experiment& experiment) {
  write(line_of(experiment));
  ++counts_.experiments;
}

void ArchiveWriter::take(const ImportedRun& run, const NextSeries& next) {
  write(line_of(run));
  std::string key;
  std::vector<Metric> points;
  while (next(key, points)) {
    const std::span<const Metric> all(points);
    for (std::size_t at = 0; at < all.size(); at += longest_piece) {
      write(line_of(run.run.run.run_id, key, all.subspan(at, std::min(longest_piece, all.size() - at))));
    }
    counts_.points += static_cast<std::int64_t>(points.size());
  }
  ++counts_.runs;
}

void ArchiveWriter::take(const ImportedModel& model) {
  write(line_of(model));
  ++counts_.models;
}

void ArchiveWriter::take(const LoggedModel& model) {
  write(line_of(model));
  ++counts_.models;
}

void ArchiveWriter::end() {
  write(last_line(counts_));
  flush();
  file_.close();
}

}  // namespace lockstep::history::transfer
