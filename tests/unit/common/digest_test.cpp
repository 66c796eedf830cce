#include "common/digest.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/temporary_folder.hpp"

namespace lockstep {
namespace {

// FIPS 180-4 example vectors.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, IsTheSameForAFile) {
  const testing::TemporaryFolder folder;
  const std::string bytes(1'000'000, 'a');
  write_file_atomically(folder / "f", bytes);
  EXPECT_EQ(sha256_hex_of_file(folder / "f"), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(RandomHex, HasTheAskedLengthAndDoesNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(random_hex(17)).second);
  for (const auto& each : seen) EXPECT_EQ(each.size(), 17U);
}

}  // namespace
}  // namespace lockstep
