// An archive as a sink. docs/history.md tells the format.
#pragma once

#include "history/transfer/bytes.hpp"
#include "history/transfer/transfer.hpp"

namespace lockstep::history::transfer {

inline constexpr int archive_version = 1;

// The file is there when end() returns, and not before.
class ArchiveWriter : public Sink {
 public:
  explicit ArchiveWriter(const fs::path& path);  // "-": stdout
  void take(const Experiment& experiment) override;
  void take(const ImportedRun& run, const NextSeries& next) override;
  void take(const ImportedModel& model) override;
  void take(const LoggedModel& model) override;
  void end() override;

 private:
  void write(const std::string& line);
  void flush();

  OutputFile file_;
  std::string buffer_;
  Counts counts_;
};

}  // namespace lockstep::history::transfer
