#include "runner/data/idx.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "tests/support/idx_files.hpp"

namespace lockstep::runner {

using lockstep::testing::gzipped;
using lockstep::testing::idx_header;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static std::string error_of_file(const std::string& bytes, std::uint64_t limit = 1 << 20) {
  try {
    parse_idx(bytes, "file.idx", limit);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return error.what();
  }
  return "no error";
}

TEST(Idx, ReadsShapeAndValues) {
  const IdxArray array = parse_idx(idx_header({2, 1, 3}) + "abcdef", "file.idx");
  EXPECT_THAT(array.shape, ElementsAre(2, 1, 3));
  EXPECT_THAT(array.values, ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
}

TEST(Idx, ReadsGzipByItsContentWhateverTheName) {
  const IdxArray array = parse_idx(gzipped(idx_header({3}) + "xyz"), "file.idx");
  EXPECT_THAT(array.values, ElementsAre('x', 'y', 'z'));
}

TEST(Idx, ReadsGzipMembersThatFollowOneAnother) {
  const IdxArray array = parse_idx(gzipped(idx_header({4}) + "ab") + gzipped("cd"), "file.idx");
  EXPECT_THAT(array.values, ElementsAre('a', 'b', 'c', 'd'));
}

TEST(Idx, NamesWhatIsWrong) {
  EXPECT_THAT(error_of_file(""), HasSubstr("file.idx: too short"));
  EXPECT_THAT(error_of_file("PNG\r\n"), HasSubstr("not an IDX file (it starts with 50 4e 47 0d"));
  EXPECT_THAT(error_of_file(idx_header({3}, 0x0D) + "abc"), HasSubstr("type 0x0d"));
  EXPECT_THAT(error_of_file(idx_header({})), HasSubstr("0 dimensions"));
  EXPECT_THAT(error_of_file(idx_header({1, 1, 1, 1, 1}) + "a"), HasSubstr("5 dimensions"));
  EXPECT_THAT(error_of_file(idx_header({2, 2}).substr(0, 7)), HasSubstr("ends within its header"));
  EXPECT_THAT(error_of_file(idx_header({2, 3}) + "abcde"), HasSubstr("truncated: 5 of 6 values"));
  EXPECT_THAT(error_of_file(idx_header({2, 3}) + "abcdefg"), HasSubstr("longer than its header says (6 values)"));
  EXPECT_THAT(error_of_file(idx_header({0, 3})), HasSubstr("a dimension of 0"));
}

TEST(Idx, NamesDamagedGzip) {
  const std::string good = gzipped(idx_header({1000}) + std::string(1000, 'a'));
  EXPECT_THAT(error_of_file(good.substr(0, good.size() / 2)), HasSubstr("cut short"));
  EXPECT_THAT(error_of_file(good.substr(0, good.size() - 1)), HasSubstr("cut short"));
  EXPECT_THAT(error_of_file(good + "rest"), HasSubstr("4 foreign bytes after the gzip stream"));
  std::string flipped = good;
  flipped[good.size() - 6] = static_cast<char>(flipped[good.size() - 6] ^ 1);  // in the stored CRC-32
  EXPECT_THAT(error_of_file(flipped), HasSubstr("damaged"));
}

TEST(Idx, RefusesHeadersThatPromiseMoreThanTheLimit) {
  EXPECT_THAT(error_of_file(idx_header({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF})),
              HasSubstr("larger than the limit"));
  EXPECT_THAT(error_of_file(idx_header({101}) + std::string(101, 'a'), 100), HasSubstr("larger than the limit of 100"));
}

}  // namespace lockstep::runner
