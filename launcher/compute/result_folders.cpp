#include "launcher/compute/result_folders.hpp"

#include <array>
#include <utility>

#include "common/error.hpp"

namespace lockstep::compute {

using Say = std::function<void(const std::string&)>;

static std::array<std::pair<const char*, fs::path>, 2> result_folders(const RunFolder& folder) {
  return {{{"outputs", folder.outputs()}, {"logs", folder.user_logs()}}};
}

static bool is_real_folder(const fs::path& path) { return fs::symlink_status(path).type() == fs::file_type::directory; }
static bool is_taken(const fs::path& path) { return fs::symlink_status(path).type() != fs::file_type::not_found; }

// Within one file system a rename; else a copy and then the removal, so that at every moment one of them is whole.
static void move_one(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return;
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  fs::remove_all(from);
}

static void move_contents(const fs::path& from, const fs::path& to, const Say& say) {
  fs::create_directories(to);
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(from)) entries.push_back(entry.path());
  for (const auto& entry : entries) {
    fs::path place = to / entry.filename();
    if (is_real_folder(entry) && is_real_folder(place)) {
      move_contents(entry, place, say);
      continue;
    }
    for (int number = 1; is_taken(place); ++number)
      place = to / fmt::format("{}.{}", entry.filename().string(), number);
    if (place.filename() != entry.filename()) {
      say(fmt::format("{} is there already: the other one is kept as {}", (to / entry.filename()).string(),
                      place.filename().string()));
    }
    move_one(entry, place);
  }
  fs::remove(from);
}

void link_result_folders(const RunFolder& folder, const fs::path& working_folder, const Say& say) {
  for (const auto& [name, target] : result_folders(folder)) {
    fs::create_directories(target);
    const fs::path place = working_folder / name;
    if (is_real_folder(place)) move_contents(place, target, say);
    if (is_taken(place)) {
      say(fmt::format("{} in `code` is no folder: what the ranks write there is not collected", name));
      continue;
    }
    fs::create_directory_symlink(fs::relative(target, working_folder), place);
  }
}

void gather_result_folders(const RunFolder& folder, const fs::path& working_folder, const Say& say) {
  for (const auto& [name, target] : result_folders(folder)) {
    const fs::path place = working_folder / name;
    if (!is_real_folder(place)) continue;
    move_contents(place, target, say);
    say(fmt::format("collected ./{} into {}", name, target.string()));
  }
}

}  // namespace lockstep::compute
