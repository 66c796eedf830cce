#include "runner/display.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "common/clock.hpp"

namespace lockstep::runner {

// mpirun gives every rank a terminal of its own, wherever mpirun's output goes: then its own is asked.
static bool person_watches() {
  if (::isatty(STDOUT_FILENO) == 0) return false;
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr) return true;
  std::error_code none;
  const auto output = std::filesystem::read_symlink(fmt::format("/proc/{}/fd/1", ::getppid()), none).string();
  return output.starts_with("/dev/pts/") || output.starts_with("/dev/tty");
}

DisplayMode choose_display(int rank, bool under_launcher) {
  if (rank != 0) return DisplayMode::silent;
  if (under_launcher) return DisplayMode::notes;
  return person_watches() ? DisplayMode::redrawn : DisplayMode::lines;
}

std::string progress_line(const history::Progress& progress) {
  return fmt::format("epoch {}/{}  step {}/{}  loss {:.4f}  {:.0f} images/s  {} left", progress.epoch, progress.epochs,
                     progress.step, progress.steps, progress.loss, progress.samples_per_s,
                     duration_text(static_cast<std::int64_t>(progress.seconds_left * 1000)));
}

Display::~Display() { clear_line(); }

void Display::progress(const history::Progress& progress) {
  constexpr std::int64_t between_lines_ms = 2000;
  if (mode_ == DisplayMode::redrawn) {
    fmt::print("\r\x1b[K{}", progress_line(progress));
    std::fflush(stdout);
    drawn_ = true;
  } else if (mode_ == DisplayMode::lines && monotonic_ms() - last_line_ms_ >= between_lines_ms) {
    last_line_ms_ = monotonic_ms();
    note(progress_line(progress));
  }
}

void Display::note(const std::string& line) {
  if (mode_ == DisplayMode::silent) return;
  clear_line();
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void Display::clear_line() {
  if (!drawn_) return;
  fmt::print("\r\x1b[K");
  std::fflush(stdout);
  drawn_ = false;
}

}  // namespace lockstep::runner
