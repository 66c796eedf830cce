// Bodies that come from files, and go to them.
#include <gmock/gmock.h>

#include "tests/support/wait_until.hpp"
#include "tests/unit/http/running_server.hpp"

namespace lockstep::history::server::http {
namespace {

using lockstep::testing::body_of;
using lockstep::testing::RawHttp;
using lockstep::testing::status_of;
using ::testing::HasSubstr;

class FilesOverHttp : public RunningServer {
 protected:
  void SetUp() override {
    serve(
        Verb::put, "/files/{name}",
        [this](const Request& request) -> Work {
          return [this, from = request.uploaded, name = request.captured.at(0)](Store&) {
            fs::rename(from, kept_ / name);
            return text("kept");
          };
        },
        Body::to_file);
    serve(
        Verb::put, "/refused", [](const Request&) -> Work { throw bad_input("not this one"); }, Body::to_file);
    serve(Verb::get, "/files/{name}", [this](const Request& request) -> Work {
      return [file = kept_ / request.captured.at(0)](Store&) {
        Reply reply;
        reply.content_type = "application/octet-stream";
        reply.file = file;
        return reply;
      };
    });
  }
  static std::string put(const std::string& path, const std::string& bytes) {
    return fmt::format("PUT {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", path, bytes.size()) + bytes;
  }
  bool nothing_is_left() { return fs::is_empty(uploads()); }

  lockstep::testing::TemporaryFolder kept_;
};

std::string many_bytes() {
  std::string bytes(5'000'003, '\0');
  std::uint32_t state = 1;
  for (char& each : bytes) each = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

TEST_F(FilesOverHttp, GoUpAndDownByteForByte) {
  start({});
  const std::string bytes = many_bytes();
  RawHttp one = client();
  EXPECT_EQ(body_of(one.exchange(put("/files/a", bytes))), "kept");
  EXPECT_TRUE(read_file(kept_ / "a") == bytes);
  EXPECT_TRUE(body_of(one.exchange("GET /files/a HTTP/1.1\r\nHost: x\r\n\r\n")) == bytes);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(FilesOverHttp, MayBeEmpty) {
  start({});
  RawHttp one = client();
  EXPECT_EQ(body_of(one.exchange(put("/files/empty", ""))), "kept");
  const std::string reply = one.exchange("GET /files/empty HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(status_of(reply), 200);
  EXPECT_EQ(body_of(reply), "");
}

TEST_F(FilesOverHttp, ThatAHandlerDoesNotTakeAreRemoved) {
  start({});
  EXPECT_EQ(status_of(client().exchange(put("/refused", "bytes"))), 400);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(FilesOverHttp, ThatBreakOffAreRemoved) {
  start({});
  client().send("PUT /files/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
  lockstep::testing::wait_until([&] { return counts().accepted == 1 && counts().connections == 0; });
  EXPECT_TRUE(nothing_is_left());
  EXPECT_FALSE(fs::exists(kept_ / "half"));
}

TEST_F(FilesOverHttp, ThatCannotBeWrittenAreAnErrorAndTheServerGoesOn) {
  start({});
  fs::remove_all(uploads());
  const std::string reply = client().exchange(put("/files/a", "bytes"));
  EXPECT_EQ(status_of(reply), 500);
  EXPECT_THAT(body_of(reply), HasSubstr("INTERNAL_ERROR"));
  EXPECT_EQ(status_of(client().exchange("GET /files/none HTTP/1.1\r\nHost: x\r\n\r\n")), 404);
}

TEST_F(FilesOverHttp, ThatAreNotThereAre404) {
  start({});
  EXPECT_EQ(status_of(client().exchange("GET /files/none HTTP/1.1\r\nHost: x\r\n\r\n")), 404);
}

TEST_F(FilesOverHttp, ThatAreTooLongAreRefusedBeforeTheyAreSent) {
  Options options;
  options.limits.file_bytes = 1000;
  start(std::move(options));
  const std::string reply = client().exchange("PUT /files/long HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(status_of(reply), 413);
  EXPECT_THAT(reply, HasSubstr("Connection: close"));
}

}  // namespace
}  // namespace lockstep::history::server::http
