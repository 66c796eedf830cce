#include "cli/transfer_screen.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/progress_text.hpp"
#include "cli/transfer_summary.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace lockstep::cli {

using history::transfer::Counts;

TransferScreen::TransferScreen(bool may_interrupt)
    : screen_(STDERR_FILENO, false),
      watch_(may_interrupt ? std::make_unique<InterruptWatch>() : nullptr),
      begin_ms_(monotonic_ms()) {}

double TransferScreen::seconds() const { return static_cast<double>(monotonic_ms() - begin_ms_) / 1000; }

std::string transfer_words(const Counts& counts, double seconds) {
  std::string words = counted(counts.runs, "run") + "  " + counted(counts.points, "point");
  if (seconds >= 1 && counts.points > 0) {
    words += fmt::format("  {} points/s", with_thousands(static_cast<double>(counts.points) / seconds));
  }
  return words;
}

void TransferScreen::show(const Counts& counts) {
  constexpr std::int64_t between_ms = 200;
  if (watch_ && watch_->count() > 0) {
    end();
    throw Error(ExitCode::interrupted, "interrupted");
  }
  const std::int64_t now = monotonic_ms();
  if (!screen_.terminal().is_terminal || now - drawn_ms_ < between_ms) return;
  drawn_ms_ = now;
  screen_.follow_window();
  screen_.live(fit(transfer_words(counts, seconds()), screen_.terminal().width - 1, screen_.terminal().utf8));
  screen_.flush();
}

void TransferScreen::end() {
  screen_.live("");
  screen_.flush();
}

}  // namespace lockstep::cli
