// docs/metrics.md, the names in the code, and the format it shows.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "history/sink/journal.hpp"
#include "history/sink/metric_names.hpp"

namespace lockstep::history {
namespace {

std::vector<std::string> lines_of_the_page(const std::string& beginning) {
  std::istringstream page(read_file(fs::path(LOCKSTEP_SOURCE_DIR) / "docs/metrics.md"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(beginning)) lines.push_back(line);
  }
  return lines;
}

TEST(MetricsPage, ListsTheNamesOfTheCode) {
  std::set<std::string> on_the_page;
  for (const auto& line : lines_of_the_page("| `")) {
    if (line.find("| every ") != std::string::npos || line.find("| at the end |") != std::string::npos) {
      on_the_page.insert(line.substr(3, line.find('`', 3) - 3));
    }
  }
  EXPECT_EQ(on_the_page, std::set<std::string>(metric::all.begin(), metric::all.end()));
}

TEST(MetricsPage, ShowsLinesAsTheyAreWritten) {
  const auto examples = lines_of_the_page("{");
  ASSERT_EQ(examples.size(), 3U);
  for (const auto& line : examples) {
    const auto entry = parse_journal_line(line);
    EXPECT_EQ(entry ? journal_line(*entry) : "no entry", line);
  }
}

}  // namespace
}  // namespace lockstep::history
