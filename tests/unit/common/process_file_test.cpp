#include "common/process_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace lockstep {
namespace {

class ProcessFile : public ::testing::Test {
 protected:
  ProcessFile() {
    std::string pattern = (fs::temp_directory_path() / "lockstep-process-file-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ProcessFile() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(ProcessFile, GivesBackTheProcessThatWasWritten) {
  write_process_file(folder_ / "0.json", this_process());
  EXPECT_EQ(read_process_file(folder_ / "0.json"), this_process());
}

TEST_F(ProcessFile, IsPlainJsonThatOthersCanWrite) {
  write_file_atomically(folder_ / "0.json", R"({"start_time": 77, "host": "here", "pid": 4242})");
  EXPECT_EQ(read_process_file(folder_ / "0.json"), (ProcessId{4242, 77}));
  EXPECT_EQ(parse_process(R"({"pid": 1, "start_time": 5})"), (ProcessId{1, 5})) << "a program alone in a container";
}

TEST_F(ProcessFile, IsNothingWhenMissingOrNotAFile) {
  EXPECT_FALSE(read_process_file(folder_ / "none.json"));
  EXPECT_FALSE(read_process_file(folder_));
}

TEST(ParseProcess, RefusesWhatIsNoProcess) {
  for (const char* text : {"", "{", R"({"pid":12,"start_ti)", "null", "[12,7]", "\xff\xfe", R"({"pid":12})",
                           R"({"start_time":12})", R"({"pid":"12","start_time":7})", R"({"pid":12.5,"start_time":7})",
                           // kill() reads these as groups, or as everybody
                           R"({"pid":0,"start_time":7})", R"({"pid":-1,"start_time":7})",
                           R"({"pid":4294967297,"start_time":7})", R"({"pid":12,"start_time":0})"}) {
    EXPECT_FALSE(parse_process(text)) << text;
  }
}

}  // namespace
}  // namespace lockstep
