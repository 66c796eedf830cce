#include "launcher/node/probe.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/clock.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"

namespace lockstep::node {
namespace {

TEST(Probe, TellsOfThisMachine) {
  const lockstep::testing::TemporaryFolder folder;
  lockstep::testing::write_text(folder / "seen", "a word");
  const Probe probe = look_around(folder / "scratch/deep", folder / "seen");
  EXPECT_EQ(probe.memory_bytes, ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGE_SIZE));
  EXPECT_GT(probe.memory_free_bytes, 0);
  EXPECT_LE(probe.memory_free_bytes, probe.memory_bytes);
  EXPECT_GE(probe.cores, 1);
  EXPECT_GT(probe.disk_free_bytes, 0);
  EXPECT_GT(probe.speed, 0);
  EXPECT_EQ(probe.seen, "a word");
  EXPECT_LE(std::abs(probe.time_ms - now_ms()), 60'000);
  EXPECT_TRUE(fs::is_directory(folder / "scratch/deep"));
  EXPECT_EQ(probe_from_text("a shell's greeting\n" + to_text(probe)), probe);
}

TEST(Probe, IsReadFromNothingElse) {
  for (const char* text : {"", "{}", "[]", "Welcome", R"({"host":1})", R"({"host":"a","cores":"many"})"}) {
    EXPECT_FALSE(probe_from_text(text)) << text;
  }
}

}  // namespace
}  // namespace lockstep::node
