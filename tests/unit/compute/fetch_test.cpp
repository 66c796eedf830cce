// Against a real web server on this machine.
#include "launcher/compute/fetch.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "launcher/compute/fetch_cache.hpp"
#include "tests/support/wait_until.hpp"
#include "tests/support/web_server.hpp"

namespace lockstep::compute {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TemporaryFolder;
using testing::wait_until;
using testing::WebServer;

class Fetch : public ::testing::Test {
 protected:
  Fetch() {
    ::setenv("no_proxy", "*", 1);
    limits_.connect_s = 5;
    limits_.stall_s = 5;
  }
  Fetched fetch_it(const std::string& path) {
    return fetch(
        server_.address(path), cache_.path(), limits_, [&](const std::string& line) { said_ += line + "\n"; },
        [] { return false; });
  }
  std::string failure_of(const std::string& path) {
    try {
      (void)fetch_it(path);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }
  int files_named(const std::string& end) const {
    int count = 0;
    for (const auto& each : fs::recursive_directory_iterator(cache_.path())) {
      count += each.path().string().ends_with(end) ? 1 : 0;
    }
    return count;
  }
  WebServer server_;
  TemporaryFolder cache_;
  FetchLimits limits_;
  std::string said_;
};

TEST_F(Fetch, BringsTheFileUnderItsName) {
  server_.put("iris.csv", "a,b\n1,2\n");
  const Fetched got = fetch_it("/iris.csv?sig=very-secret");
  EXPECT_EQ(read_file(got.path), "a,b\n1,2\n");
  EXPECT_EQ(got.path.filename(), "iris.csv");
  EXPECT_EQ(got.sha256, sha256_hex("a,b\n1,2\n"));
  EXPECT_EQ(got.bytes, 8);
  EXPECT_FALSE(got.from_cache);
  EXPECT_THAT(said_,
              AllOf(HasSubstr("fetched http://127.0.0.1:"), HasSubstr("8 bytes"), Not(HasSubstr("very-secret"))));
}

TEST_F(Fetch, AsksTheServerEveryTimeAndTakesWhatIsUnchangedFromTheCache) {
  server_.put("iris.csv", "1");
  const Fetched first = fetch_it("/iris.csv");
  const Fetched second = fetch_it("/iris.csv");
  EXPECT_TRUE(second.from_cache);
  EXPECT_EQ(second.path, first.path);
  EXPECT_EQ(second.sha256, first.sha256);
  EXPECT_THAT(server_.requests(), ElementsAre("200 /iris.csv", "304 /iris.csv"));
}

TEST_F(Fetch, RevalidatesByDateWhereThereIsNoTag) {
  server_.put("iris.csv", "1");
  (void)fetch_it("/dated/iris.csv");
  EXPECT_TRUE(fetch_it("/dated/iris.csv").from_cache);
  EXPECT_THAT(server_.requests(), ElementsAre("200 /dated/iris.csv", "304 /dated/iris.csv"));
}

TEST_F(Fetch, FetchesAgainWhereTheServerGivesNothingToRevalidateBy) {
  server_.put("iris.csv", "1");
  const Fetched first = fetch_it("/plain/iris.csv");
  const Fetched second = fetch_it("/plain/iris.csv");
  EXPECT_FALSE(second.from_cache);
  EXPECT_EQ(second.path, first.path);
  EXPECT_EQ(read_file(second.path), "1");
  EXPECT_THAT(said_, HasSubstr("no ETag or Last-Modified"));
}

TEST_F(Fetch, LeavesTheOlderContentToTheRunThatUsesIt) {
  server_.put("iris.csv", "old");
  const Fetched before = fetch_it("/iris.csv");
  server_.put("iris.csv", "new!");
  const Fetched after = fetch_it("/iris.csv");
  EXPECT_FALSE(after.from_cache);
  EXPECT_EQ(read_file(after.path), "new!");
  EXPECT_EQ(read_file(before.path), "old");
}

TEST_F(Fetch, DoesNotTrustACachedFileThatWasWrittenTo) {
  server_.put("iris.csv", "true");
  const Fetched first = fetch_it("/iris.csv");
  fs::permissions(first.path, fs::perms::owner_write, fs::perm_options::add);
  write_all(open_file(first.path, O_WRONLY | O_TRUNC).get(), "lies");
  const Fetched second = fetch_it("/iris.csv");
  EXPECT_FALSE(second.from_cache);
  EXPECT_EQ(read_file(second.path), "true");
}

TEST_F(Fetch, FollowsRedirectsAndTakesTheTagOfTheLastAnswer) {
  server_.put("iris.csv", "1");
  EXPECT_EQ(read_file(fetch_it("/to/iris.csv").path), "1");
  EXPECT_TRUE(fetch_it("/to/iris.csv").from_cache);
}

TEST_F(Fetch, GivesUpOnARedirectLoop) { EXPECT_THAT(failure_of("/loop"), HasSubstr("more than 10 redirects")); }

TEST_F(Fetch, SaysWhatTheServerSaid) {
  EXPECT_THAT(failure_of("/missing.csv?sig=very-secret"),
              AllOf(HasSubstr("no such file (404)"), Not(HasSubstr("very-secret"))));
  EXPECT_THAT(failure_of("/status/403"), HasSubstr("refuses access (403)"));
  EXPECT_THAT(failure_of("/status/503"), HasSubstr("in trouble or busy (503)"));
  EXPECT_THAT(failure_of("/status/304"), HasSubstr("304 without being asked"));
  EXPECT_THAT(failure_of("/status/204"), HasSubstr("status 204"));
}

TEST_F(Fetch, KeepsNothingOfATruncatedFile) {
  EXPECT_THAT(failure_of("/truncated"), HasSubstr("ended after 10 bytes, before the whole file"));
  EXPECT_EQ(files_named("truncated") + files_named(".part") + files_named(".json"), 0);
}

TEST_F(Fetch, GivesUpOnAServerThatStalls) {
  limits_.stall_s = 1;
  EXPECT_THAT(failure_of("/stalled"), HasSubstr("nothing came for 1 s after 10 bytes"));
}

TEST_F(Fetch, StopsSoonWhenCanceled) {
  std::atomic<bool> stop{false};
  std::thread canceler([&] { stop = wait_until([&] { return !server_.requests().empty(); }); });
  try {
    (void)fetch(
        server_.address("/stalled"), cache_.path(), FetchLimits(), [](const std::string&) {},
        [&] { return stop.load(); });
    ADD_FAILURE() << "it was not canceled";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "canceled");
  }
  canceler.join();
  EXPECT_EQ(files_named(".part"), 0);
}

TEST_F(Fetch, RefusesAFileLargerThanTheCache) {
  limits_.cache_bytes = 100;
  server_.put("big", std::string(101, 'x'));
  EXPECT_THAT(failure_of("/big"), HasSubstr("larger than the whole cache"));
  server_.put("fits", std::string(100, 'x'));
  EXPECT_EQ(failure_of("/fits"), "");
}

TEST_F(Fetch, AsksBeforeItUsesAStaleFileAndNobodyAnswers) {
  server_.put("iris.csv", "1");
  (void)fetch_it("/iris.csv");
  server_.stop();
  EXPECT_THAT(failure_of("/iris.csv"), AllOf(HasSubstr("nobody answers"), HasSubstr("LOCKSTEP_OFFLINE=1 uses that")));
  EXPECT_THAT(failure_of("/other.csv"), AllOf(HasSubstr("nobody answers"), Not(HasSubstr("LOCKSTEP_OFFLINE"))));
  limits_.offline = true;
  EXPECT_EQ(read_file(fetch_it("/iris.csv").path), "1");
  EXPECT_THAT(failure_of("/other.csv"), HasSubstr("not in the cache"));
}

TEST_F(Fetch, KeepsAnOfflineChoiceFromAskingTheServer) {
  server_.put("iris.csv", "1");
  (void)fetch_it("/iris.csv");
  limits_.offline = true;
  EXPECT_TRUE(fetch_it("/iris.csv").from_cache);
  EXPECT_EQ(server_.requests().size(), 1);
}

TEST_F(Fetch, DownloadsOnceForTwoProcessesThatWantItAtOnce) {
  server_.put("iris.csv", std::string(1 << 20, 'x'));
  const std::string address = server_.address("/held/iris.csv");
  const auto start = [&] {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    const Fetched got = fetch(
        address, cache_.path(), limits_, [](const std::string&) {}, [] { return false; });
    ::_exit(got.bytes == (1 << 20) ? (got.from_cache ? 10 : 11) : 12);
  };
  const pid_t one = start();
  const pid_t two = start();
  server_.put("go", "");
  int status_one = 0;
  int status_two = 0;
  ASSERT_EQ(::waitpid(one, &status_one, 0), one);
  ASSERT_EQ(::waitpid(two, &status_two, 0), two);
  EXPECT_EQ(WEXITSTATUS(status_one) + WEXITSTATUS(status_two), 10 + 11);
  EXPECT_THAT(server_.requests(), ElementsAre("200 /held/iris.csv", "304 /held/iris.csv"));
}

TEST_F(Fetch, EvictsTheLeastRecentlyUsedThatNobodyUses) {
  for (const char* name : {"a", "b", "c", "d"}) server_.put(name, std::string(100, *name));
  const Fetched in_use = fetch_it("/a");
  const fs::path b = fetch_it("/b").path;
  const fs::path c = fetch_it("/c").path;
  EXPECT_TRUE(fetch_it("/b").from_cache);  // c is now the least recently used
  limits_.cache_bytes = 300;
  const fs::path d = fetch_it("/d").path;
  EXPECT_TRUE(fs::exists(in_use.path));
  EXPECT_TRUE(fs::exists(b));
  EXPECT_FALSE(fs::exists(c));
  EXPECT_TRUE(fs::exists(d));
  EXPECT_FALSE(fetch_it("/c").from_cache);
}

TEST_F(Fetch, CleansUpAfterADownloadThatWasKilled) {
  server_.put("iris.csv", "1");
  const CacheEntry entry(cache_.path(), server_.address("/iris.csv"));
  write_file_atomically(entry.folder() / "download.part", "half");
  EXPECT_EQ(read_file(fetch_it("/iris.csv").path), "1");
  EXPECT_EQ(files_named(".part"), 0);
}

TEST_F(Fetch, FetchesAgainWhenItsOwnNotesAreUnreadable) {
  server_.put("iris.csv", "1");
  (void)fetch_it("/iris.csv");
  const CacheEntry entry(cache_.path(), server_.address("/iris.csv"));
  for (const char* text : {"", "{", "[]", R"({"version": 3})"}) {
    write_file_atomically(entry.folder() / "current.json", text);
    EXPECT_FALSE(fetch_it("/iris.csv").from_cache) << text;
  }
}

TEST_F(Fetch, KeepsTheCacheFromOtherUsers) {
  server_.put("iris.csv", "1");
  (void)fetch_it("/iris.csv");
  EXPECT_EQ(fs::status(cache_ / "inputs").permissions(), fs::perms::owner_all);
}

TEST_F(Fetch, GivesEveryAddressAUsableFileName) {
  server_.put("x", "1");
  EXPECT_EQ(fetch_it("/any/x?a=/b/c.csv").path.filename(), "x");
  const CacheEntry no_name(cache_.path(), "http://h");
  const auto name = [&](const std::string& address) {
    const CacheEntry entry(cache_.path(), address);
    write_file_atomically(entry.folder() / "t.part", "1");
    return entry
        .add(entry.folder() / "t.part", {.unchanged = false, .validators = {}, .sha256 = sha256_hex("1"), .bytes = 1})
        .file_name;
  };
  EXPECT_EQ(name("http://h"), "file");
  EXPECT_EQ(name("http://h/"), "file");
  EXPECT_EQ(name("http://h/.."), "file..");
  EXPECT_EQ(name("http://h/a%20b;c.csv#f"), "a_20b_c.csv");
  EXPECT_EQ(name("http://h/" + std::string(300, 'x') + ".csv"), std::string(116, 'x') + ".csv");
}

TEST(FetchLimits, AreReadStrictly) {
  ASSERT_EQ(::setenv("LOCKSTEP_CACHE_LIMIT_MB", "7", 1), 0);
  ASSERT_EQ(::setenv("LOCKSTEP_OFFLINE", "1", 1), 0);
  EXPECT_EQ(fetch_limits().cache_bytes, 7 << 20);
  EXPECT_TRUE(fetch_limits().offline);
  ASSERT_EQ(::setenv("LOCKSTEP_OFFLINE", "yes", 1), 0);
  EXPECT_THROW((void)fetch_limits(), Error);
  ASSERT_EQ(::unsetenv("LOCKSTEP_OFFLINE"), 0);
  ASSERT_EQ(::setenv("LOCKSTEP_CACHE_LIMIT_MB", "7 GB", 1), 0);
  EXPECT_THROW((void)fetch_limits(), Error);
  ASSERT_EQ(::unsetenv("LOCKSTEP_CACHE_LIMIT_MB"), 0);
  EXPECT_EQ(fetch_limits().cache_bytes, std::uint64_t{20} << 30);
  EXPECT_FALSE(fetch_limits().offline);
}

}  // namespace
}  // namespace lockstep::compute
