#include "history/transfer/open_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/run_folder.hpp"
#include "history/transfer/archive_reader.hpp"
#include "history/transfer/mlflow_database.hpp"
#include "history/transfer/mlruns.hpp"
#include "history/transfer/store_source.hpp"

namespace lockstep::history::transfer {

namespace {
// The path that an MLflow address means: sqlite:////absolute, sqlite:///relative, file:///absolute, file:relative.
fs::path path_of(std::string name) {
  if (name.starts_with("sqlite:///")) return name.substr(std::string_view("sqlite:///").size());
  if (name.starts_with("file://")) return name.substr(std::string_view("file://").size());
  if (name.starts_with("file:")) return name.substr(std::string_view("file:").size());
  if (const auto scheme = name.find("://"); scheme != std::string::npos) {
    throw bad_input(
        "{}: a history is read from files: an archive, a workspace, MLflow's database (sqlite:///FILE) or an mlruns "
        "folder",
        name);
  }
  return name;
}

bool is_sqlite(const fs::path& file) {
  constexpr std::string_view mark = "SQLite format 3";
  char begin[mark.size()] = {};
  const Fd fd = open_file(file, O_RDONLY);
  const bool whole = ::pread(fd.get(), begin, sizeof begin, 0) == static_cast<ssize_t>(sizeof begin);
  return whole && std::string_view(begin, sizeof begin) == mark;
}

OpenedSource archive(Fd fd, const std::string& name) {
  auto bytes = std::make_unique<FileBytes>(std::move(fd), name);
  return {nullptr, std::make_unique<ArchiveReader>(std::move(bytes), name), "the archive " + name};
}

OpenedSource workspace(const fs::path& file) {
  auto store = open_sqlite_store(file);
  auto source = std::make_unique<StoreSource>(*store, Part());
  return {std::move(store), std::move(source), "the history " + file.string()};
}

bool is_our_store(const fs::path& file) {
  constexpr std::int64_t application_id = 0x4C6B5374;  // "LkSt"
  return SqliteFile(file).number("PRAGMA application_id") == application_id;
}

OpenedSource database(const fs::path& file) {
  if (is_our_store(file)) return workspace(file);
  return {nullptr, std::make_unique<MlflowDatabase>(file), "MLflow's database " + file.string()};
}

OpenedSource folder(const fs::path& path) {
  for (const fs::path& place : {path, path / ".lockstep"}) {
    if (const fs::path store = Workspace(place).store_file(); fs::is_regular_file(store)) return workspace(store);
  }
  for (const fs::path& place : {path, path / "mlruns"}) {
    if (is_mlruns(place)) return {nullptr, std::make_unique<Mlruns>(place), "the folder " + place.string()};
  }
  throw bad_input("{}: neither a workspace (history.db) nor an mlruns folder (folders with a meta.yaml)",
                  path.string());
}
}  // namespace

OpenedSource open_source(const std::string& name) {
  if (name == "-") return archive(Fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)), "stdin");
  const fs::path path = path_of(name);
  if (!fs::exists(path)) throw not_found("there is no {}", path.string());
  if (fs::is_directory(path)) return folder(path);
  if (fs::is_regular_file(path) && is_sqlite(path)) return database(path);
  return archive(open_file(path, O_RDONLY), path.string());
}

}  // namespace lockstep::history::transfer
