// An archive as a source. docs/history.md tells the format. Every error says the file and the line.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "history/transfer/archive_records.hpp"
#include "history/transfer/bytes.hpp"

namespace lockstep::history::transfer {

inline constexpr std::size_t longest_line = std::size_t{256} << 20;  // bytes

class ArchiveReader : public Source {
 public:
  // `name` stands in errors.
  ArchiveReader(std::unique_ptr<ByteSource> bytes, std::string name);
  void give(Sink& sink) override;

 private:
  template <class Work>
  auto here(Work work);  // an error of `work` gets the place
  std::optional<std::string_view> next_line();
  std::optional<Record> next_record();
  std::optional<Record> read_first();
  void give_run(Sink& sink, const ImportedRun& run);
  bool next_piece(const std::string& run_id, std::string& key, std::vector<Metric>& points);
  void check_experiment(const std::string& experiment_id) const;
  void check_end(const Counts& said);

  std::unique_ptr<ByteSource> bytes_;
  std::string name_;
  std::vector<char> piece_;     // of the bytes, as they are read
  std::string buffer_;          // what was read and not used yet
  std::size_t line_begin_ = 0;  // of the next line in it
  std::int64_t line_ = 0;
  bool at_end_ = false;  // of the bytes
  RecordParser parser_;
  std::optional<Record> ahead_;  // the record that was read and not used yet
  std::set<std::string> experiments_;
  Counts counts_;
};

}  // namespace lockstep::history::transfer
