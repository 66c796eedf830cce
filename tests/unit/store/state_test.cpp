#include "history/store/state.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "common/file.hpp"

namespace lockstep::history {
namespace {

constexpr int states = static_cast<int>(RunState::canceled) + 1;

std::vector<RunState> all_states() {
  std::vector<RunState> all;
  all.reserve(states);
  for (int i = 0; i < states; ++i) all.push_back(static_cast<RunState>(i));
  return all;
}

struct PageRow {
  std::string mlflow;
  std::set<std::string> next;
};

// The rows of the page's table: | `State` | WORD | meaning | `Next` `Next` |
std::map<std::string, PageRow> rows_of_the_page() {
  const auto words_in_backticks = [](std::string_view text) {
    std::set<std::string> words;
    for (auto begin = text.find('`'); begin != std::string_view::npos; begin = text.find('`')) {
      const auto end = text.find('`', begin + 1);
      words.emplace(text.substr(begin + 1, end - begin - 1));
      text.remove_prefix(end + 1);
    }
    return words;
  };
  std::istringstream page(read_file(fs::path(LOCKSTEP_SOURCE_DIR) / "docs/states.md"));
  std::map<std::string, PageRow> rows;
  for (std::string line; std::getline(page, line);) {
    if (line.substr(0, 3) != "| `") continue;
    std::vector<std::string> cells;
    std::istringstream row(line.substr(2));
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    EXPECT_EQ(cells.size(), 4U) << line;
    rows[*words_in_backticks(cells.at(0)).begin()] = {cells.at(1).substr(1, cells.at(1).size() - 2),
                                                      words_in_backticks(cells.at(3))};
  }
  return rows;
}

TEST(RunState, IsAsThePageSays) {
  const auto page = rows_of_the_page();
  EXPECT_EQ(page.size(), static_cast<std::size_t>(states));
  for (const RunState state : all_states()) {
    const auto row = page.find(std::string(name_of(state)));
    ASSERT_NE(row, page.end()) << name_of(state);
    EXPECT_EQ(row->second.mlflow, mlflow_status(state)) << name_of(state);
    std::set<std::string> next;
    for (const RunState to : all_states()) {
      if (may_follow(state, to)) next.emplace(name_of(to));
    }
    EXPECT_EQ(row->second.next, next) << name_of(state);
  }
}

TEST(RunState, IsFoundByItsName) {
  for (const RunState state : all_states()) EXPECT_EQ(state_named(name_of(state)), state);
  for (const char* name : {"", "running", "Cancelled", "FINISHED"}) EXPECT_FALSE(state_named(name).has_value()) << name;
}

TEST(RunState, IsTerminalExactlyWhenNothingFollows) {
  for (const RunState state : all_states()) {
    const bool end = state == RunState::completed || state == RunState::failed || state == RunState::canceled;
    EXPECT_EQ(is_terminal(state), end) << name_of(state);
    for (const RunState to : all_states()) {
      EXPECT_FALSE(end && may_follow(state, to)) << name_of(state) << " " << name_of(to);
    }
  }
}

TEST(RunState, CanEndFromEverywhere) {
  for (const RunState state : all_states()) {
    if (is_terminal(state)) continue;
    EXPECT_TRUE(may_follow(state, RunState::failed)) << name_of(state);
    EXPECT_TRUE(may_follow(state, RunState::canceled)) << name_of(state);
    EXPECT_FALSE(may_follow(state, state)) << name_of(state);
    EXPECT_FALSE(may_follow(state, RunState::not_started)) << name_of(state);
    EXPECT_EQ(may_follow(state, RunState::cancel_requested), state != RunState::cancel_requested) << name_of(state);
  }
}

TEST(RunState, NeverWorksAgainAfterACancelWasAskedFor) {
  std::set<RunState> reached{RunState::cancel_requested};
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const RunState from : std::set<RunState>(reached)) {
      for (const RunState to : all_states()) {
        if (may_follow(from, to)) reached.insert(to);
      }
    }
  }
  for (const RunState working : {RunState::queued, RunState::preparing, RunState::running, RunState::paused}) {
    EXPECT_FALSE(reached.contains(working)) << name_of(working);
  }
}

}  // namespace
}  // namespace lockstep::history
