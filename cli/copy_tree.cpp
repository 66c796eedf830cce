#include "cli/copy_tree.hpp"

#include "common/error.hpp"

namespace lockstep::cli {

CopyCount& CopyCount::operator+=(const CopyCount& other) {
  files += other.files;
  bytes += other.bytes;
  return *this;
}

static CopyCount copy_one(const fs::path& from, const fs::path& to) {
  const fs::file_status status = fs::symlink_status(from);
  if (fs::is_directory(status)) {
    fs::create_directories(to);
    CopyCount count;
    for (const auto& entry : fs::directory_iterator(from))
      count += copy_one(entry.path(), to / entry.path().filename());
    return count;
  }
  if (!fs::is_regular_file(status) && !fs::is_symlink(status)) return {};
  fs::create_directories(fs::absolute(to).parent_path());
  if (fs::is_symlink(status)) {
    fs::remove(to);
    fs::copy_symlink(from, to);
    return {1, 0};
  }
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  return {1, fs::file_size(to)};
}

CopyCount copy_tree(const fs::path& from, const fs::path& to) {
  try {
    return fs::exists(fs::symlink_status(from)) ? copy_one(from, to) : CopyCount{};
  } catch (const fs::filesystem_error& error) {
    throw failure("copying to {}: {}", to.string(), error.what());
  }
}

}  // namespace lockstep::cli
