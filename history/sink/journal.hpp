// The journal of a rank: metrics/rank-<k>.jsonl, append-only, one JSON object a line. What is in it is acknowledged:
// log() returns after write() returned, so it survives kill -9 of every process. docs/metrics.md is the format's page.
//
//   {"v":1,"rank":0,"seq":7,"step":120,"coll":843,"t":1764000000000,"metrics":{"train_loss":0.31}}
//   {"v":1,"rank":0,"seq":8,"step":120,"coll":843,"t":...,"params":{"lr":"0.1"}}      also "tags"
//   {"v":1,"rank":0,"seq":9,"step":130,"coll":900,"t":...,"progress":{"epoch":1,"epochs":5,"step":130,"steps":1170,...}}
//
// seq counts this rank's entries from 0 without gaps, over restarts too; coll is the number of collectives the rank
// had started. NaN and infinities are the strings "NaN", "Infinity", "-Infinity". A line is at most 1 MiB long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/file.hpp"

namespace lockstep::history {

// Where a training run stands, for a person who watches it.
struct Progress {
  int epoch = 0;  // counts from 1
  int epochs = 0;
  std::int64_t step = 0;   // done, of all epochs
  std::int64_t steps = 0;  // of all epochs
  double loss = 0;
  double samples_per_s = 0;
  double seconds_left = 0;
  bool operator==(const Progress&) const = default;
};

struct JournalEntry {
  int rank = 0;
  std::int64_t sequence = 0;
  std::int64_t step = 0;
  std::int64_t collective = 0;
  std::int64_t timestamp_ms = 0;
  std::vector<std::pair<std::string, double>> metrics;
  std::vector<std::pair<std::string, std::string>> params;
  std::vector<std::pair<std::string, std::string>> tags;
  std::optional<Progress> progress;
  bool operator==(const JournalEntry&) const = default;
};

inline constexpr std::size_t longest_journal_line = std::size_t{1} << 20;  // bytes, without the newline

// One line without its newline; the same entry always gives the same bytes. parse gives nullopt for what is no whole
// entry (a line cut by a kill, foreign text, another version, a longer line); members it does not know are skipped.
std::string journal_line(const JournalEntry& entry);
std::optional<JournalEntry> parse_journal_line(std::string_view line);

// The number that the next entry of this journal gets; 0 where there is no file.
std::int64_t next_sequence_in(const fs::path& file);

class Journal {
 public:
  // Opens for append. A last line that was cut by a kill is closed with a newline first (readers skip it), and the
  // sequence goes on after the last whole entry.
  Journal(const fs::path& file, int rank);

  // Appends with one write(). The entry's rank and sequence are set here; a timestamp of 0 becomes now. Throws
  // bad_input for an entry that is too long, failure when the disk refuses; then nothing was logged, and the next call
  // may work.
  void log(JournalEntry entry);
  std::int64_t next_sequence() const { return next_sequence_; }

 private:
  Fd fd_;
  int rank_;
  std::int64_t next_sequence_ = 0;
  bool cut_ = false;  // the last write ended in the middle of a line
};

// Follows a journal that another process appends to.
class JournalReader {
 public:
  explicit JournalReader(fs::path file) : file_(std::move(file)) {}
  // The whole lines that came since the last call, at most max_entries of them; none if the file does not exist yet.
  std::vector<JournalEntry> read_new(std::size_t max_entries = 10'000);

 private:
  bool read_more();
  std::optional<std::string_view> next_line();

  fs::path file_;
  Fd fd_;
  std::string pending_;       // read, but not yet given
  std::size_t begin_ = 0;     // of the first line in pending_ that was not given
  std::size_t searched_ = 0;  // pending_ has no newline between begin_ and here
  bool skipping_ = false;     // inside a line that is too long
};

}  // namespace lockstep::history
