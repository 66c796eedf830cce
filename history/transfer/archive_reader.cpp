#include "history/transfer/archive_reader.hpp"

#include <utility>

#include "common/error.hpp"

namespace lockstep::history::transfer {

ArchiveReader::ArchiveReader(std::unique_ptr<ByteSource> bytes, std::string name)
    : bytes_(std::move(bytes)), name_(std::move(name)), piece_(256 * 1024) {}

template <class Work>
auto ArchiveReader::here(Work work) {
  return with_purpose(fmt::format("{}:{}", name_, line_), work);
}

// The bytes of a line stay where they are until the next one is asked for.
std::optional<std::string_view> ArchiveReader::next_line() {
  std::size_t looked_at = line_begin_;
  while (true) {
    const std::size_t newline = buffer_.find('\n', looked_at);
    if (newline != std::string::npos) {
      const auto line = std::string_view(buffer_).substr(line_begin_, newline - line_begin_);
      line_begin_ = newline + 1;
      return line;
    }
    buffer_.erase(0, std::exchange(line_begin_, 0));
    looked_at = buffer_.size();
    if (looked_at > longest_line)
      throw bad_input("{}:{}: the line is longer than {} bytes", name_, line_, longest_line);
    const std::size_t got = at_end_ ? 0 : bytes_->read(piece_.data(), piece_.size());
    at_end_ = got == 0;
    if (at_end_) break;
    buffer_.append(piece_.data(), got);
  }
  line_begin_ = buffer_.size();
  return buffer_.empty() ? std::nullopt : std::optional<std::string_view>(buffer_);
}

std::optional<Record> ArchiveReader::next_record() {
  ++line_;
  const auto line = next_line();
  if (!line) return std::nullopt;
  return here([&] { return parser_.parse(*line); });
}

void ArchiveReader::check_experiment(const std::string& experiment_id) const {
  if (!experiments_.contains(experiment_id)) throw bad_input("no experiment {} came before it", experiment_id);
}

// The series that follow are of this run; those that the sink did not ask for are passed over.
void ArchiveReader::give_run(Sink& sink, const ImportedRun& run) {
  here([&] { check_experiment(run.run.run.experiment_id); });
  ahead_ = next_record();
  const auto next = [&](std::string& key, std::vector<Metric>& points) {
    return next_piece(run.run.run.run_id, key, points);
  };
  sink.take(run, next);
  std::string key;
  std::vector<Metric> points;
  while (next(key, points)) {
  }
  ++counts_.runs;
}

bool ArchiveReader::next_piece(const std::string& run_id, std::string& key, std::vector<Metric>& points) {
  auto* const piece = ahead_ ? std::get_if<SeriesPiece>(&*ahead_) : nullptr;
  if (piece == nullptr) return false;
  here([&] {
    if (piece->run_id != run_id) throw bad_input("a series of run {} between those of run {}", piece->run_id, run_id);
  });
  key = std::move(piece->key);
  points = std::move(piece->points);
  counts_.points += static_cast<std::int64_t>(points.size());
  ahead_ = next_record();
  return true;
}

void ArchiveReader::check_end(const Counts& said) {
  here([&] {
    if (said != counts_) {
      throw bad_input(
          "it should hold {} experiments, {} runs, {} points and {} models; {}, {}, {} and {} were there: something is "
          "missing",
          said.experiments, said.runs, said.points, said.models, counts_.experiments, counts_.runs, counts_.points,
          counts_.models);
    }
  });
  if (next_record()) throw bad_input("{}:{}: something follows the end", name_, line_);
}

// Any file may have been named.
std::optional<Record> ArchiveReader::read_first() {
  try {
    return next_record();
  } catch (const Error& error) {
    throw bad_input("{} is no archive of a history: {}", name_, error.what());
  }
}

void ArchiveReader::give(Sink& sink) {
  const auto first = read_first();
  if (!first || !std::holds_alternative<FirstLine>(*first)) {
    throw bad_input("{} is no archive of a history: its first line should be {{\"lockstep_history\":1,...}}", name_);
  }
  ahead_ = next_record();
  while (ahead_) {
    const Record record = std::move(*ahead_);
    ahead_.reset();
    if (const auto* run = std::get_if<ImportedRun>(&record)) {
      give_run(sink, *run);
      continue;
    }
    if (const auto* experiment = std::get_if<Experiment>(&record)) {
      experiments_.insert(experiment->experiment_id);
      ++counts_.experiments;
      sink.take(*experiment);
    } else if (const auto* model = std::get_if<ImportedModel>(&record)) {
      ++counts_.models;
      sink.take(*model);
    } else if (const auto* logged = std::get_if<LoggedModel>(&record)) {
      here([&] { check_experiment(logged->experiment_id); });
      ++counts_.models;
      sink.take(*logged);
    } else if (const auto* end = std::get_if<Counts>(&record)) {
      check_end(*end);
      sink.end();
      return;
    } else {
      throw bad_input("{}:{}: it can't stand here", name_, line_);
    }
    ahead_ = next_record();
  }
  throw bad_input("{}: it ends after line {} without its last line: it was cut off", name_, line_ - 1);
}

}  // namespace lockstep::history::transfer
