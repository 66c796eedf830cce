#include "launcher/compute/code_listing.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "common/error.hpp"
#include "launcher/compute/ignore_rules.hpp"
#include "launcher/compute/megabytes.hpp"

namespace lockstep::compute {

namespace {
constexpr std::uint64_t most_files = 20'000;
constexpr std::uint64_t walk_limit = 20 * most_files;  // somebody said `code: /`
constexpr std::uint64_t default_limit_mb = 300;
constexpr std::uint64_t longest_ignore_file = 1 << 20;

class Walk {
 public:
  Walk(const fs::path& code, const std::function<bool()>& canceled) : root_(fs::canonical(code)), canceled_(canceled) {
    for (const char* name : {".amlignore", ".gitignore"}) {
      if (listing_.ignore_file.empty() && fs::is_regular_file(root_ / name)) listing_.ignore_file = name;
    }
  }

  CodeListing walk() {
    enter("");
    return std::move(listing_);
  }

 private:
  void enter(const std::string& folder) {
    const std::size_t rules_before = rules_.size();
    if (!listing_.ignore_file.empty()) {
      const fs::path file = root_ / folder / listing_.ignore_file;
      if (fs::is_regular_file(fs::symlink_status(file))) rules_.add(read_file(file, longest_ignore_file), folder);
    }
    for (const std::string& name : names_in(folder)) {
      if (listing_.cut_short) break;
      visit(folder.empty() ? name : folder + "/" + name, name);
    }
    rules_.keep_first(rules_before);
  }

  std::vector<std::string> names_in(const std::string& folder) const {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator each(root_ / folder, error), end; !error && each != end; each.increment(error)) {
      names.push_back(each->path().filename().string());
    }
    if (error) throw failure("cannot read {}: {}", (root_ / folder).string(), error.message());
    std::sort(names.begin(), names.end());
    return names;
  }

  void visit(const std::string& path, const std::string& name) {
    if (canceled_()) throw failure("canceled");
    if (name == ".git" || name == ".lockstep") return;
    struct stat info {};
    if (::lstat((root_ / path).c_str(), &info) != 0) throw system_failure("cannot read " + (root_ / path).string());
    const bool is_folder = S_ISDIR(info.st_mode);
    if (rules_.exclude(path, is_folder)) return;
    CodeEntry entry;
    entry.path = path;
    entry.mode = info.st_mode & 0777;
    if (is_folder) {
      entry.kind = CodeEntry::Kind::folder;
      listing_.entries.push_back(entry);
      enter(path);
    } else if (S_ISLNK(info.st_mode)) {
      entry.kind = CodeEntry::Kind::link;
      entry.link_target = link_target(path);
      count(std::move(entry));
    } else if (S_ISREG(info.st_mode)) {
      entry.bytes = static_cast<std::uint64_t>(info.st_size);
      count(std::move(entry));
    } else {
      listing_.remarks.push_back(path + " is no file, folder or link: left out");
    }
  }

  void count(CodeEntry entry) {
    listing_.bytes += entry.bytes;
    listing_.files += 1;
    listing_.cut_short = listing_.files > walk_limit;
    listing_.entries.push_back(std::move(entry));
  }

  std::string link_target(const std::string& path) {
    const fs::path written = fs::read_symlink(root_ / path);
    const fs::path parent = (root_ / path).parent_path();
    const fs::path meant = (parent / written).lexically_normal();
    const auto [rest, unused] = std::mismatch(root_.begin(), root_.end(), meant.begin(), meant.end());
    const bool inside = rest == root_.end();
    if (inside) return (written.is_absolute() ? meant.lexically_relative(parent) : written).string();
    listing_.remarks.push_back(
        fmt::format("{} -> {} leaves the code folder: kept as a link, what it points to is not in "
                    "the snapshot",
                    path, meant.string()));
    return meant.string();
  }

  fs::path root_;
  const std::function<bool()>& canceled_;
  IgnoreRules rules_;
  CodeListing listing_;
};

struct Heap {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::string only_file;
};

// Files that lie in the same folder count together; those in the root count one by one.
std::string largest_five(const CodeListing& listing, bool by_count) {
  std::map<std::string, Heap> heaps;
  for (const auto& entry : listing.entries) {
    if (entry.kind == CodeEntry::Kind::folder) continue;
    const std::size_t slash = entry.path.rfind('/');
    Heap& heap = heaps[slash == std::string::npos ? entry.path : entry.path.substr(0, slash + 1)];
    heap.files += 1;
    heap.bytes += entry.bytes;
    heap.only_file = entry.path;
  }
  std::vector<std::pair<std::string, Heap>> order(heaps.begin(), heaps.end());
  std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return by_count ? a.second.files > b.second.files : a.second.bytes > b.second.bytes;
  });
  std::string text;
  for (std::size_t i = 0; i < order.size() && i < 5; ++i) {
    const auto& [name, heap] = order[i];
    text += heap.files == 1 ? fmt::format("\n  {}: {}", heap.only_file, size_text(heap.bytes))
                            : fmt::format("\n  {}: {} in {} files", name, size_text(heap.bytes), heap.files);
  }
  return text;
}
}  // namespace

CodeListing list_code(const fs::path& code, const std::function<bool()>& canceled) {
  return Walk(code, canceled).walk();
}

std::optional<std::string> too_much(const CodeListing& listing) {
  const std::uint64_t limit = megabytes_from("LOCKSTEP_SNAPSHOT_LIMIT_MB", default_limit_mb);
  const bool too_many = listing.files > most_files;
  if (!too_many && listing.bytes <= limit) return std::nullopt;
  const std::string amount = listing.cut_short ? fmt::format("more than {} files", walk_limit)
                                               : fmt::format("{} in {} files", size_text(listing.bytes), listing.files);
  const std::string advice =
      listing.ignore_file.empty() ? "an .amlignore file in that folder" : "the folder's " + listing.ignore_file;
  return fmt::format(
      "{}, more than the {} and {} files that a snapshot may have; the largest:{}\nKeep data and virtual "
      "environments out with {} (the syntax of .gitignore), or raise LOCKSTEP_SNAPSHOT_LIMIT_MB{}",
      amount, size_text(limit), most_files, largest_five(listing, too_many), advice,
      too_many ? " (the number of files stays limited)" : "");
}

}  // namespace lockstep::compute
