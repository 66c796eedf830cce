#include "launcher/supervise/hints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::supervise {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string hint_of_line(const std::string& line, const std::string& path = "") {
  return hint_for({{"starting", line, "a line after it"}, 1, std::nullopt, false, path});
}

// What programs really print.
TEST(Hints, KnowTheCommonFailures) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"ModuleNotFoundError: No module named 'torchvision.models'", "pip install torchvision`"},
      {"/usr/bin/python3: No module named pytest", "pip install pytest`"},
      {"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity",
       "GPU's memory"},
      {"RuntimeError: CUDA error: out of memory", "GPU's memory"},
      {"MemoryError", "machine's memory"},
      {"terminate called after throwing an instance of 'std::bad_alloc'", "machine's memory"},
      {"OSError: [Errno 12] Cannot allocate memory", "machine's memory"},
      {"RuntimeError: The server socket has failed to listen on any local network address. EADDRINUSE", "MASTER_PORT"},
      {"OSError: [Errno 98] Address already in use", "MASTER_PORT"},
      {"OSError: [Errno 28] No space left on device: 'x'", "disk is full"},
      {"OSError: [Errno 122] Disk quota exceeded", "disk quota"},
      {"PermissionError: [Errno 13] Permission denied: '/root/x'", "chmod +x"},
      {"bash: line 1: ./train.sh: Permission denied", "chmod +x"},
      {"FileNotFoundError: [Errno 2] No such file or directory: 'data/train.csv'", "'data/train.csv' does not exist"},
      {"python3: can't open file '/tmp/trian.py': [Errno 2] No such file or directory",
       "'/tmp/trian.py' does not exist"},
      {"cat: corpus.txt: No such file or directory", "'corpus.txt' does not exist"},
      {"bash: line 1: pyton3: command not found", "no program 'pyton3'"},
  };
  for (const auto& [line, hint] : table) EXPECT_THAT(hint_of_line(line), HasSubstr(hint)) << line;
}

TEST(Hints, NameTheNearestCommand) {
  lockstep::testing::TemporaryFolder bin;
  write_file_atomically(bin / "python3", "#!/bin/sh\n", 0755);
  EXPECT_THAT(hint_of_line("bash: line 1: pyhton3: command not found", bin.path().string()),
              HasSubstr("did you mean 'python3'?"));
}

TEST(Hints, BelieveTheLastLineThatFits) {
  const FailureTraces traces{{"mkdir: Permission denied", "MemoryError"}, 1, std::nullopt, false, ""};
  EXPECT_THAT(hint_for(traces), HasSubstr("memory"));
}

TEST(Hints, KnowSignals) {
  EXPECT_THAT(hint_for({{"Permission denied"}, std::nullopt, 9, false, ""}), HasSubstr("memory"))
      << "the log can't know of a kill from outside";
  EXPECT_THAT(hint_for({{}, std::nullopt, 11, false, ""}), HasSubstr("segmentation fault"));
  EXPECT_THAT(hint_for({{}, 139, std::nullopt, false, ""}), HasSubstr("segmentation fault"));
  EXPECT_THAT(hint_for({{"std::bad_alloc"}, std::nullopt, 6, false, ""}), HasSubstr("machine's memory"));
  EXPECT_THAT(hint_for({{}, std::nullopt, 4, false, ""}), HasSubstr("CPU"));
  EXPECT_THAT(hint_for({{}, std::nullopt, 7, false, ""}), HasSubstr("/dev/shm"));
}

TEST(Hints, KnowTheShellsCodesAndMpiAbort) {
  EXPECT_THAT(hint_for({{}, 127, std::nullopt, false, ""}), HasSubstr("not found"));
  EXPECT_THAT(hint_for({{}, 126, std::nullopt, false, ""}), HasSubstr("could not be executed"));
  EXPECT_THAT(hint_for({{}, 5, std::nullopt, true, ""}), HasSubstr("MPI_Abort"));
}

TEST(Hints, AreNoneWhereNothingIsKnown) {
  EXPECT_THAT(hint_for({{"loss 0.3", "AssertionError"}, 1, std::nullopt, false, ""}), IsEmpty());
  EXPECT_THAT(hint_for({{}, std::nullopt, std::nullopt, false, ""}), IsEmpty());
}

TEST(Hints, SurviveEndlessLines) { EXPECT_THAT(hint_of_line(std::string(5'000'000, 'x')), IsEmpty()); }

}  // namespace
}  // namespace lockstep::supervise
