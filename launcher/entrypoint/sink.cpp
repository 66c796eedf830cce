#include "launcher/entrypoint/sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/utf8.hpp"
#include "history/sink/report/sender.hpp"
#include "launcher/entrypoint/say.hpp"

namespace lockstep::entrypoint {

namespace report = history::report;

namespace {
constexpr std::size_t lines_to_keep = 20;
constexpr std::int64_t bytes_to_keep = 4000;  // MLflow takes tags of 8000
constexpr std::int64_t patience_at_end_ms = 5000;

fs::path made(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw failure("cannot make {}: {}", folder.string(), error.message());
  return folder;
}
}  // namespace

// The thread that delivers, with what it needs to know.
class Sink::Reporter {
 public:
  Reporter(const fs::path& folder, int rank, const Environment& environment)
      : sender_({.folder = folder,
                 .number = 1,
                 .report = report_of(folder, rank, environment),
                 .server = report::settings_of_environment(),
                 .times = {},
                 .say = say}) {}

  void finish() {
    // RUNNING: the run is its owner's, who knows when it is over.
    if (!sender_.finish("RUNNING", patience_at_end_ms)) {
      say(fmt::format("not all could be brought to {}", sender_.delivery().shown_uri()));
    }
  }

 private:
  static report::Report report_of(const fs::path& folder, int rank, const Environment& environment) {
    report::Report made;
    made.id = report::new_report_id();
    made.tracking_uri = report::without_credentials(value_of(environment, "MLFLOW_TRACKING_URI"));
    made.run_id = value_of(environment, "MLFLOW_RUN_ID");
    made.started_ms = now_ms();
    const std::int64_t next = history::next_sequence_in(report::journal_file(folder, rank));
    made.journals.try_emplace(rank, report::JournalShare{{next, 0}, std::nullopt});
    return made;
  }

  report::Sender sender_;
};

fs::path stoppable_file_of_sink(const fs::path& folder, int rank) {
  return fs::absolute(folder) / fmt::format("rank-{}.stoppable.json", rank);
}

Sink::Sink(const fs::path& folder, const RankPlace& place, const Environment& environment)
    : tag_prefix_(fmt::format("lockstep.rank_{}.", place.rank)),
      metric_prefix_(place.node_count > 1 ? fmt::format("system/{}/", place.node) : "system/"),
      log_(made(folder) / fmt::format("rank-{}.log", place.rank)),
      log_in_(open_file(log_, O_RDONLY | O_CREAT)),
      copied_(static_cast<std::int64_t>(fs::file_size(log_))),
      journal_(report::journal_file(made(folder / fmt::format("rank-{}", place.rank)), place.rank), place.rank) {
  if (const auto interval = machine::sampling_interval_ms(environment); interval && place.local_rank == 0) {
    machine_.emplace(folder);
    sampling_interval_ms_ = *interval;
    next_sample_ms_ = monotonic_ms() + sampling_interval_ms_;
  }
  const std::string uri = value_of(environment, "MLFLOW_TRACKING_URI");
  if (!report::is_server_address(uri) || value_of(environment, "MLFLOW_RUN_ID").empty()) return;
  make_reporter_ = [journals = folder / fmt::format("rank-{}", place.rank), rank = place.rank, environment] {
    return std::make_unique<Reporter>(journals, rank, environment);
  };
}

Sink::~Sink() = default;

void Sink::take_output() const {
  const Fd log = open_file(log_, O_WRONLY | O_CREAT | O_APPEND);
  if (::dup2(log.get(), STDOUT_FILENO) < 0 || ::dup2(log.get(), STDERR_FILENO) < 0) {
    throw system_failure("cannot put " + log_.string() + " in place of stdout and stderr");
  }
}

// Whoever reads our output may be gone: the log has it all the same.
void Sink::copy_output() {
  char bytes[1 << 16];
  while (true) {
    const ssize_t got = ::pread(log_in_.get(), bytes, sizeof bytes, copied_);
    if (got <= 0) return;
    copied_ += got;
    try {
      write_all(STDOUT_FILENO, {bytes, static_cast<std::size_t>(got)});
    } catch (const Error&) {
      continue;
    }
  }
}

std::string Sink::last_lines() const {
  const auto size = static_cast<std::int64_t>(fs::file_size(log_));
  std::string text(static_cast<std::size_t>(std::min(size, bytes_to_keep)), '\0');
  const ssize_t got = ::pread(log_in_.get(), text.data(), text.size(), size - static_cast<std::int64_t>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  std::size_t begin = text.size();
  for (std::size_t lines = 0; begin > 0; --begin) {
    if (text[begin - 1] == '\n' && begin < text.size() && ++lines == lines_to_keep) break;
  }
  return replace_invalid_utf8(text.substr(begin));
}

void Sink::begin_to_report() {
  if (make_reporter_) reporter_ = std::exchange(make_reporter_, nullptr)();
}

void Sink::look() {
  copy_output();
  begin_to_report();
  if (!machine_ || monotonic_ms() < next_sample_ms_) return;
  next_sample_ms_ += sampling_interval_ms_;
  history::JournalEntry entry;
  for (const history::Metric& each : machine_->sample(now_ms())) {
    entry.step = each.step;
    entry.timestamp_ms = each.timestamp_ms;
    entry.metrics.emplace_back(metric_prefix_ + each.key.substr(each.key.find('/') + 1), each.value);
  }
  journal_.log(std::move(entry));
}

void Sink::note(const std::string& text) {
  copy_output();
  say(text);
  history::JournalEntry entry;
  entry.tags.emplace_back(tag_prefix_ + "notice", text);
  journal_.log(std::move(entry));
}

void Sink::end(int wait_status) {
  begin_to_report();  // it may have been too short for a look
  copy_output();
  history::JournalEntry entry;
  if (WIFSIGNALED(wait_status)) {
    entry.tags.emplace_back(tag_prefix_ + "signal", std::to_string(WTERMSIG(wait_status)));
  } else {
    entry.tags.emplace_back(tag_prefix_ + "exit_code", std::to_string(WEXITSTATUS(wait_status)));
  }
  entry.tags.emplace_back(tag_prefix_ + "last_lines", last_lines());
  journal_.log(std::move(entry));
  if (reporter_) reporter_->finish();
}

}  // namespace lockstep::entrypoint
