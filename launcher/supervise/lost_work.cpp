#include "launcher/supervise/lost_work.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "common/clock.hpp"

namespace lockstep::supervise {

namespace {
std::optional<std::int64_t> step_of_checkpoint(const fs::path& folder) {
  constexpr std::string_view prefix = "step-";
  const std::string name = folder.filename().string();
  if (!name.starts_with(prefix)) return std::nullopt;
  std::int64_t step = 0;
  const char* const end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(name.data() + prefix.size(), end, step);
  return error == std::errc() && stopped == end ? std::optional(step) : std::nullopt;
}

std::optional<std::int64_t> newest_file_ms(const fs::path& folder) {
  std::optional<std::int64_t> newest;
  std::error_code error;
  fs::recursive_directory_iterator each(folder, error);
  for (; !error && each != fs::recursive_directory_iterator(); each.increment(error)) {
    struct stat info {};
    if (::lstat(each->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const std::int64_t changed_ms = info.st_mtim.tv_sec * std::int64_t{1000} + info.st_mtim.tv_nsec / 1'000'000;
    newest = std::max(newest.value_or(changed_ms), changed_ms);
  }
  return newest;
}

std::string steps_text(std::int64_t steps) { return fmt::format("{} {}", steps, steps == 1 ? "step" : "steps"); }
}  // namespace

std::optional<std::int64_t> newest_checkpoint(const RunFolder& folder) {
  std::optional<std::int64_t> newest;
  std::error_code error;
  fs::directory_iterator each(folder.checkpoints(), error);
  for (; !error && each != fs::directory_iterator(); each.increment(error)) {
    const auto step = step_of_checkpoint(each->path());
    std::error_code unseen;
    if (step && fs::exists(each->path() / "manifest.json", unseen)) newest = std::max(newest.value_or(*step), *step);
  }
  return newest;
}

LostWork lost_work(const RunFolder& folder, std::optional<std::int64_t> reached_step, std::int64_t ended_ms) {
  std::error_code unseen;
  if (!fs::exists(folder.journal(0), unseen)) {
    const auto saved_ms = newest_file_ms(folder.checkpoints());
    if (!saved_ms) return {"what it lost is not known: there is nothing in its checkpoints/"};
    const std::int64_t lost_ms = std::max<std::int64_t>(0, ended_ms - *saved_ms);
    return {fmt::format("it wrote to its checkpoints/ last {} before", duration_text(lost_ms)), std::nullopt, lost_ms};
  }
  const auto checkpoint = newest_checkpoint(folder);
  const std::int64_t from = checkpoint.value_or(0);
  const std::int64_t lost = std::max<std::int64_t>(0, reached_step.value_or(from) - from);
  if (!checkpoint) {
    const std::string again = lost == 0 ? "it had done no step" : fmt::format("{} are done again", steps_text(lost));
    return {fmt::format("{}: there is no checkpoint in its folder", again), lost, std::nullopt};
  }
  if (lost == 0) return {fmt::format("nothing is lost: it goes on from checkpoint {}", from), lost, std::nullopt};
  return {fmt::format("{} after checkpoint {} {} done again", steps_text(lost), from, lost == 1 ? "is" : "are"), lost,
          std::nullopt};
}

}  // namespace lockstep::supervise
