// docs/run-folder.md and common/run_folder.* name the same paths.
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "common/file.hpp"
#include "common/run_folder.hpp"

namespace lockstep {
namespace {

std::string source(const std::string& path) { return read_file(fs::path(LOCKSTEP_SOURCE_DIR) / path); }

std::string slash_if(bool folder) { return folder ? "/" : ""; }

// The first column of the page's tables: | `path` | ...
std::set<std::string> paths_of_the_page() {
  std::set<std::string> paths;
  std::istringstream page(source("docs/run-folder.md"));
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## Outside")) break;
    if (line.starts_with("| `")) paths.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return paths;
}

// Every path that the module gives, with the page's words for what varies.
std::set<std::string> paths_of_the_module() {
  const Workspace workspace{fs::path("W")};
  const RunFolder run = workspace.run("<run_id>");
  const std::string run_root = run.root().string() + "/";
  std::set<std::string> paths{".gitignore"};
  const auto add = [&paths](const std::string& root, const fs::path& path, bool folder, int number, const char* word) {
    std::string text = path.string().substr(root.size());
    if (number >= 0) text = std::regex_replace(text, std::regex(std::to_string(number)), word);
    paths.insert(text + slash_if(folder));
  };
  add("W/", workspace.store_file(), false, -1, "");
  add("W/", workspace.compute_file("<name>"), false, -1, "");
  add("W/", workspace.speeds_file("<name>"), false, -1, "");
  add("W/", workspace.quotas_file(), false, -1, "");
  add("W/", workspace.quotas_lock(), false, -1, "");
  for (const auto& folder : {workspace.run("<run_id>").root(), workspace.model_artifacts("<model_id>"),
                             workspace.artifacts(), workspace.multipart_upload("<upload_id>"), workspace.uploads()}) {
    add("W/", folder, true, -1, "");
  }
  for (const auto& file : {run.job_file(), run.plan_file(), run.state_file(), run.owner_lock(), run.history_file(),
                           run.queue_file(), run.allocation_file(), run.output("<name>"), run.system_log(),
                           run.preparing_file(), run.preempt_file(), run.begin_file()}) {
    add(run_root, file, false, -1, "");
  }
  for (const auto& folder : {run.snapshot(), run.outputs(), run.logs(), run.user_logs(), run.metrics(),
                             run.tensorboard(), run.checkpoints(), run.ranks()}) {
    add(run_root, folder, true, -1, "");
  }
  for (const auto& file :
       {run.rank_log(77), run.journal(77), run.rank_file(77), run.stoppable_file(77), run.ended_file(77)}) {
    add(run_root, file, false, 77, "<k>");
  }
  add(run_root, run.prepare_log(77), false, 77, "<node>");
  add(run_root, run.node_preparation_log(77), false, 77, "<node>");
  add(run_root, run.prepared_file(77), false, 77, "<node>");
  add(run_root, run.node(77), true, 77, "<node>");
  return paths;
}

TEST(RunFolderPage, ListsThePathsOfTheModule) { EXPECT_EQ(paths_of_the_page(), paths_of_the_module()); }

// The list above may forget a path; the module's source can't.
TEST(RunFolderPage, HoldsEveryNameThatTheModuleSpells) {
  const std::string page = source("docs/run-folder.md");
  const std::string text = source("common/run_folder.hpp") + source("common/run_folder.cpp");
  const std::regex joined(R"re(/ (?:fmt::format\()?"([^"]+)")re");
  int names = 0;
  for (auto match = std::sregex_iterator(text.begin(), text.end(), joined); match != std::sregex_iterator();
       ++match, ++names) {
    std::string name = (*match)[1];
    const auto hole = name.find("{}");
    if (hole != std::string::npos)
      name.replace(hole, 2, name.find("prepar") != std::string::npos || name.starts_with("node-") ? "<node>" : "<k>");
    EXPECT_NE(page.find(name), std::string::npos) << name;
  }
  EXPECT_GE(names, 18);
}

}  // namespace
}  // namespace lockstep
