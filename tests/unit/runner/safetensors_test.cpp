#include "runner/checkpoint/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

#include "common/error.hpp"
#include "common/process.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::runner {

using ::testing::HasSubstr;

// A file by hand: the length in 8 bytes, the header, the data.
static std::string file_of(const std::string& header, std::size_t data_bytes) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i) & 255U);
  return bytes + header + std::string(data_bytes, '\0');
}

static std::string error_of_tensors(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "file");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Safetensors, ReadsBackWhatItWrote) {
  const std::vector<float> weight = {1, 2, 3, 4, 5, 6};
  const std::vector<float> bias = {-0.0F, 1e-42F, 7};
  const std::string bytes = write_safetensors({{"w", {2, 3}, weight}, {"b", {3}, bias}}, {{"step", "7"}});
  const SafetensorsIndex index = parse_safetensors(bytes, "file");
  EXPECT_EQ(index.metadata.at("step"), "7");
  EXPECT_EQ(index.tensors.at("w").shape, (std::vector<std::int64_t>{2, 3}));
  std::vector<float> read(3);
  copy_tensor(bytes, index.tensors.at("b"), read);
  for (std::size_t i = 0; i < 3; ++i) {  // the bits: -0 stays -0
    EXPECT_EQ(std::bit_cast<std::uint32_t>(read[i]), std::bit_cast<std::uint32_t>(bias[i]));
  }
}

TEST(Safetensors, AlignsTheDataToEightBytes) {
  const std::vector<float> one = {1};
  for (const char* name : {"a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"}) {
    const std::string bytes = write_safetensors({{name, {1}, one}}, {});
    EXPECT_EQ(parse_safetensors(bytes, "file").tensors.at(name).offset % 8, 0U);
  }
}

// The same format, read by a few lines of Python from the format's description.
TEST(Safetensors, AreReadByAnotherProgram) {
  const auto python = find_program("python3", current_environment().at("PATH"));
  ASSERT_TRUE(python.has_value()) << "this test needs python3";
  const std::vector<float> weight = {1.5F, -2, 3, 4, 5, 6.25F};
  const std::vector<float> bias = {0.5F};
  const lockstep::testing::TemporaryFolder folder;
  lockstep::testing::write_bytes(folder / "f",
                                 write_safetensors({{"w", {2, 3}, weight}, {"b", {1}, bias}}, {{"a", "z"}}));
  const std::string script =
      "import json,struct,sys\n"
      "raw=open(sys.argv[1],'rb').read()\n"
      "n=struct.unpack('<Q',raw[:8])[0]\n"
      "head=json.loads(raw[8:8+n]); data=raw[8+n:]\n"
      "print(head.pop('__metadata__'))\n"
      "for name,t in sorted(head.items()):\n"
      "    a,b=t['data_offsets']\n"
      "    print(name,t['dtype'],t['shape'],struct.unpack('<%df'%((b-a)//4),data[a:b]))\n"
      "print(max(t['data_offsets'][1] for t in head.values())==len(data))\n";
  ProgramSpec program;
  program.argv = {python.value_or("").string(), "-c", script, (folder / "f").string()};
  program.environment = current_environment();
  EXPECT_EQ(lockstep::run_program(program).output,
            "{'a': 'z'}\n"
            "b F32 [1] (0.5,)\n"
            "w F32 [2, 3] (1.5, -2.0, 3.0, 4.0, 5.0, 6.25)\n"
            "True\n");
}

TEST(Safetensors, NamesWhatIsWrong) {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(error_of_tensors(file_of(good, 8)), "no error");
  EXPECT_EQ(error_of_tensors(file_of(good + "     ", 8)), "no error");  // padding is blanks
  EXPECT_THAT(error_of_tensors("1234567"), HasSubstr("7 bytes"));
  EXPECT_THAT(error_of_tensors(std::string(8, '\xff')), HasSubstr("a header of 18446744073709551615 bytes"));
  EXPECT_THAT(error_of_tensors(file_of(" " + good, 8)), HasSubstr("does not start with '{'"));
  EXPECT_THAT(error_of_tensors(file_of(good + "x", 8)), HasSubstr("JSON"));
  EXPECT_THAT(error_of_tensors(file_of(good, 7)), HasSubstr("passes the end"));
  EXPECT_THAT(error_of_tensors(file_of(good, 9)), HasSubstr("belong to no tensor"));
}

TEST(Safetensors, RefusesTensorsThatTheFormatForbids) {
  const auto tensor = [](const std::string& text, std::size_t bytes) {
    return error_of_tensors(file_of("{\"a\":" + text + "}", bytes));
  };
  EXPECT_THAT(tensor(R"({"dtype":"F16","shape":[2],"data_offsets":[0,4]})", 4), HasSubstr("only F32"));
  EXPECT_THAT(tensor(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", 8), HasSubstr("disagree"));
  EXPECT_THAT(tensor(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})", 8), HasSubstr("lists of sizes"));
  EXPECT_THAT(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", 8), HasSubstr("passes the end"));
  EXPECT_THAT(tensor(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})", 8),
              HasSubstr("larger than the file"));
  EXPECT_THAT(tensor(R"({"dtype":"F32","shape":[2]})", 8), HasSubstr("not exactly"));
  EXPECT_THAT(tensor(R"({"dtype":"F32","shape":[[[[2]]]],"data_offsets":[0,8]})", 8), HasSubstr("JSON"));
  EXPECT_THAT(tensor("7", 0), HasSubstr("not exactly"));
}

TEST(Safetensors, RefusesOverlapsGapsAndRepeatedNames) {
  const auto pair = [](const char* second, int begin, int end) {
    return fmt::format(R"({{"a":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}},"{}":{{"dtype":"F32","shape":[1],)"
                       R"("data_offsets":[{},{}]}}}})",
                       second, begin, end);
  };
  EXPECT_EQ(error_of_tensors(file_of(pair("b", 8, 12), 12)), "no error");
  EXPECT_THAT(error_of_tensors(file_of(pair("b", 4, 8), 8)), HasSubstr("overlap or leave gaps"));
  EXPECT_THAT(error_of_tensors(file_of(pair("b", 12, 16), 16)), HasSubstr("overlap or leave gaps"));
  EXPECT_THAT(error_of_tensors(file_of(pair("a", 8, 12), 12)), HasSubstr("twice"));
}

}  // namespace lockstep::runner
