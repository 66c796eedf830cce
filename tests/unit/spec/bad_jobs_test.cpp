// The table of bad job files (bad_jobs.txt), and that no key of the spec is without a bad example in it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "common/error.hpp"
#include "launcher/spec/key_table.hpp"
#include "launcher/spec/read_job.hpp"

namespace lockstep::spec {
namespace {

struct BadJob {
  std::string title;
  std::vector<std::string> keys;
  std::string yaml;
  std::string printed;
};

BadJob case_of_header(const std::string& line) {
  const std::size_t bracket = line.rfind(" [");
  BadJob job;
  job.title = line.substr(4, bracket - 4);
  std::stringstream keys(line.substr(bracket + 2, line.size() - bracket - 3));
  for (std::string key; std::getline(keys >> std::ws, key, ',');) job.keys.push_back(key);
  return job;
}

std::vector<BadJob> bad_jobs() {
  std::istringstream lines(read_file(fs::path(LOCKSTEP_SOURCE_DIR) / "tests/unit/spec/bad_jobs.txt"));
  std::vector<BadJob> all;
  bool printed = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("=== ")) {
      all.push_back(case_of_header(line));
      printed = false;
    } else if (all.empty()) {
      continue;  // the introduction
    } else if (line == ">>>") {
      printed = true;
    } else if (!printed) {
      all.back().yaml += line + "\n";
    } else if (!line.empty()) {
      all.back().printed += (all.back().printed.empty() ? "" : "\n") + line;
    }
  }
  return all;
}

TEST(BadJobs, EachPrintsAllItsMistakesWithTheirPlaces) {
  for (const BadJob& bad : bad_jobs()) {
    SCOPED_TRACE(bad.title + "\n" + bad.yaml);
    try {
      read_job(bad.yaml, "job.yml", "/nowhere");
      ADD_FAILURE() << "was accepted";
    } catch (const InputErrors& e) {
      EXPECT_EQ(e.what(), bad.printed);
      EXPECT_EQ(e.code(), ExitCode::bad_input);
    }
  }
}

TEST(BadJobs, AreAtLeastFortyAndDiffer) {
  std::set<std::string> titles;
  std::set<std::string> texts;
  for (const BadJob& bad : bad_jobs()) {
    titles.insert(bad.title);
    texts.insert(bad.yaml);
  }
  EXPECT_GE(texts.size(), 40U);
  EXPECT_EQ(titles.size(), bad_jobs().size());
  EXPECT_EQ(texts.size(), bad_jobs().size());
}

// The last part of "a.b.c"; of "a.b.*" it is b.
std::string telling_part(const std::string& path) {
  std::string rest = path.ends_with(".*") ? path.substr(0, path.size() - 2) : path;
  return rest.substr(rest.rfind('.') + 1);
}

TEST(BadJobs, EveryKeyOfTheTableHasOne) {
  std::set<std::string> covered;
  for (const BadJob& bad : bad_jobs()) {
    for (const auto& key : bad.keys) {
      const auto rows = job_keys();
      EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [&](const KeyRow& row) { return row.path == key; }))
          << bad.title << " names the key " << key << ", which is not in the table";
      EXPECT_NE((bad.yaml + bad.printed).find(telling_part(key)), std::string::npos)
          << bad.title << " claims " << key << ", which is not in it";
      covered.insert(key);
    }
  }
  for (const KeyRow& row : job_keys())
    EXPECT_TRUE(covered.contains(std::string(row.path))) << row.path << " has no bad example in bad_jobs.txt";
}

}  // namespace
}  // namespace lockstep::spec
