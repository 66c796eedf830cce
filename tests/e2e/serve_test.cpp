// `lockstep serve` as a program: it is killed while clients write, and what it acknowledged is there.
// LOCKSTEP_KILL_ROUNDS (5) and LOCKSTEP_SEED choose the moments.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "history/store/store.hpp"
#include "tests/e2e/sandbox.hpp"
#include "tests/support/made_certificate.hpp"
#include "tests/support/raw_http.hpp"
#include "tests/support/raw_https.hpp"
#include "tests/support/repeatable.hpp"
#include "tests/support/wait_until.hpp"

namespace lockstep::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class Serving {
 public:
  explicit Serving(const Sandbox& sandbox, const std::vector<std::string>& options = {}) {
    auto [read_end, write_end] = make_pipe();
    ProgramSpec program = sandbox.program({"serve", "--port", "0"});
    program.argv.insert(program.argv.end(), options.begin(), options.end());
    program.stdout_fd = write_end.get();
    server_ = start_program(program);
    write_end.reset();
    std::string text;
    char byte = 0;
    while (::read(read_end.get(), &byte, 1) == 1 && std::count(text.begin(), text.end(), '\n') < 2) text += byte;
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error("lockstep serve said: " + text);
    port_ = std::stoi(text.substr(colon + 1));
    output_ = std::move(read_end);
  }
  ~Serving() { end(SIGKILL); }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  // The status as waitpid gives it.
  int end(int signal) {
    if (server_.pid == 0) return 0;
    ::kill(server_.pid, signal);
    int status = 0;
    ::waitpid(server_.pid, &status, 0);
    server_.pid = 0;
    return status;
  }
  void signal(int signal) const { ::kill(server_.pid, signal); }
  RawHttp client() const { return RawHttp(port_); }
  int port() const { return port_; }

 private:
  ProcessId server_;
  int port_ = 0;
  Fd output_;
};

std::string post(const std::string& path, const json& body) {
  const std::string text = body.dump();
  return "POST /api/2.0/mlflow/" + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(text.size()) + "\r\n\r\n" + text;
}

std::string new_run(const Serving& serving) {
  RawHttp client = serving.client();
  return json::parse(body_of(client.exchange(post("runs/create", {{"run_name", "written"}}))))["run"]["info"]["run_id"];
}

// What one client was told is kept, and what it had sent when the server went.
struct Told {
  std::set<std::string> acknowledged;
  std::set<std::string> sent;
};

void write_until_it_goes(const Serving& serving, const std::string& run_id, int writer, int round, Told& told,
                         std::atomic<unsigned>& count) {
  try {
    RawHttp client = serving.client();
    for (int i = 0;; ++i) {
      const std::string key = std::to_string(round) + "." + std::to_string(writer) + "." + std::to_string(i);
      const json metrics = {{{"key", "m" + std::to_string(writer)}, {"value", i}, {"timestamp", round}, {"step", i}}};
      told.sent.insert(key);
      const std::string reply = client.exchange(post(
          "runs/log-batch", {{"run_id", run_id}, {"metrics", metrics}, {"tags", {{{"key", key}, {"value", "1"}}}}}));
      if (status_of(reply) != 200) return;
      told.acknowledged.insert(key);
      ++count;
    }
  } catch (const Error&) {
    return;  // it was gone before we came
  }
}

TEST(Serve, KeepsWhatItAcknowledgedWhenItIsKilled) {
  constexpr int writers = 4;
  Sandbox sandbox;
  std::mt19937 random(kill_seed());
  std::string run_id;
  Told all;
  for (int round = 0; round < kill_rounds(); ++round) {
    Serving serving(sandbox);
    if (run_id.empty()) run_id = new_run(serving);
    std::vector<Told> told(writers);
    std::atomic<unsigned> count = 0;  // of acknowledged batches
    {
      std::vector<std::jthread> threads;
      for (int writer = 0; writer < writers; ++writer) {
        Told& mine = told[static_cast<std::size_t>(writer)];
        threads.emplace_back([&, writer] { write_until_it_goes(serving, run_id, writer, round, mine, count); });
      }
      const unsigned moment = 1 + random() % 2000;
      EXPECT_TRUE(wait_until([&] { return count >= moment; }));
      serving.end(SIGKILL);
    }
    for (Told& each : told) {
      all.acknowledged.merge(each.acknowledged);
      all.sent.merge(each.sent);
    }
    const auto store = history::open_sqlite_store(sandbox.folder() / ".lockstep" / "history.db");
    std::set<std::string> kept;
    for (const auto& tag : store->tags(run_id)) {
      if (tag.value == "1") kept.insert(tag.key);
    }
    EXPECT_TRUE(std::ranges::includes(kept, all.acknowledged));
    EXPECT_TRUE(std::ranges::includes(all.sent, kept));
    std::size_t points = 0;  // a batch is there whole, or not at all: one point came with each tag
    for (int writer = 0; writer < writers; ++writer) {
      points += store->metric_history(run_id, "m" + std::to_string(writer)).size();
    }
    EXPECT_EQ(points, kept.size());
  }
  EXPECT_GT(all.acknowledged.size(), 0U);
}

TEST(Serve, EndsWithSuccessWhenItIsAskedToAndKeepsWhatItHas) {
  Sandbox sandbox;
  Serving serving(sandbox);
  const std::string run_id = new_run(serving);
  const int status = serving.end(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(sandbox.show(run_id)["display_name"], "written");
}

TEST(Serve, ShowsRunsOfJobsAndIsShownByThem) {
  Sandbox sandbox;
  const std::string name = sandbox.create("command: echo hello > outputs/a.txt\n");
  ASSERT_TRUE(sandbox.wait_for_end(name));
  Serving serving(sandbox);
  RawHttp client = serving.client();
  const auto get = [&](const std::string& path) {
    return body_of(client.exchange("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  };
  const json run = json::parse(get("/api/2.0/mlflow/runs/get?run_id=" + name))["run"];
  EXPECT_EQ(run["info"]["status"], "FINISHED");
  const json files = json::parse(get("/api/2.0/mlflow/artifacts/list?run_id=" + name))["files"];
  EXPECT_THAT(files.dump(), HasSubstr("a.txt"));
  EXPECT_EQ(get("/get-artifact?path=a.txt&run_id=" + name), "hello\n");
  EXPECT_THAT(get("/metrics"), HasSubstr("lockstep_http_replies_total{status=\"2xx\"}"));
}

TEST(Serve, RefusesToListenWhereEveryoneCanReachItWithoutAToken) {
  Sandbox sandbox;
  const Answer answer = sandbox.lockstep({"serve", "--host", "0.0.0.0", "--port", "0"});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.err, HasSubstr("lockstep token create"));
  sandbox.lockstep({"token", "create", "--expires", "90d"});
  const Answer both = sandbox.lockstep({"serve", "--insecure", "--require-token"});
  EXPECT_EQ(both.exit_code, 2);
}

TEST(Serve, LetsThoseInWhoHaveATokenUntilItIsDeleted) {
  Sandbox sandbox;
  const auto made =
      json::parse(sandbox.lockstep({"token", "create", "--scope", "read", "--note", "wall", "-o", "json"}).out);
  const std::string token = made["token"];
  EXPECT_EQ(made["scope"], "read");
  Serving serving(sandbox, {"--host", "0.0.0.0"});
  RawHttp client = serving.client();
  const auto status = [&](const std::string& request, const std::string& bearer) {
    return status_of(client.exchange(
        request + " HTTP/1.1\r\nHost: anything\r\nContent-Length: 0\r\nAuthorization: Bearer " + bearer + "\r\n\r\n"));
  };
  EXPECT_EQ(status("GET /api/2.0/mlflow/experiments/get?experiment_id=0", token), 200);
  EXPECT_EQ(status("POST /api/2.0/mlflow/runs/create", token), 403);
  EXPECT_EQ(status("GET /api/2.0/mlflow/experiments/get?experiment_id=0", "wrong"), 401);
  EXPECT_EQ(status("GET /health", "wrong"), 200);
  const Answer listed = sandbox.lockstep({"token", "list"});
  EXPECT_THAT(listed.out, AllOf(HasSubstr("wall"), HasSubstr(made["token_id"]), Not(HasSubstr(token))));
  EXPECT_EQ(sandbox.lockstep({"token", "delete", made["token_id"]}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return status("GET /api/2.0/mlflow/experiments/get?experiment_id=0", token) == 401; }));
  EXPECT_EQ(sandbox.lockstep({"token", "delete", made["token_id"]}).exit_code, 3);
}

TEST(Serve, TokensArePrintedAloneSoThatAShellCanTakeThem) {
  Sandbox sandbox;
  const Answer answer = sandbox.lockstep({"token", "create", "--expires", "never"});
  EXPECT_THAT(answer.out, MatchesRegex("lockstep_[0-9a-f]+\n"));
  EXPECT_THAT(answer.err, HasSubstr("lockstep token delete"));
  for (const char* bad : {"", "0d", "1", "d", "-1d", "1y", "99999999h", "1.5h"}) {
    EXPECT_EQ(sandbox.lockstep({"token", "create", "--expires", bad}).exit_code, 2) << bad;
  }
  EXPECT_EQ(sandbox.lockstep({"token", "create", "--run", "nobody"}).exit_code, 3);
  EXPECT_EQ(sandbox.lockstep({"token", "create", "--scope", "all"}).exit_code, 2);
}

TEST(Serve, MakesNoWorkspaceForAStoreThatCantBeOpened) {
  Sandbox sandbox;
  sandbox.write("history.db", "somebody else's file");
  const Answer answer =
      sandbox.lockstep({"serve", "--port", "0", "--store", (sandbox.folder() / "history.db").string()});
  EXPECT_NE(answer.exit_code, 0);
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep"));
}

TEST(Serve, TokensOfAStoreThatIsNotThereAreNoneAndNoneIsMade) {
  Sandbox sandbox;
  const std::string store = (sandbox.folder() / "typo.db").string();
  const Answer answer = sandbox.lockstep({"token", "list", "--store", store});
  EXPECT_EQ(answer.exit_code, 3);
  EXPECT_THAT(answer.err, HasSubstr("there is no history " + store));
  EXPECT_FALSE(fs::exists(store));
}

TEST(Serve, AsksForATokenOnThisMachineIfItIsTold) {
  Sandbox sandbox;
  const std::string token = sandbox.lockstep({"token", "create"}).line();
  Serving serving(sandbox, {"--require-token", "--durable"});
  RawHttp client = serving.client();
  const std::string request = post("runs/create", json::object());
  EXPECT_EQ(status_of(client.exchange(request)), 401);
  RawHttp again = serving.client();
  const std::string with_token = request.substr(0, request.find("\r\n") + 2) + "Authorization: Bearer " + token +
                                 request.substr(request.find("\r\n"));
  EXPECT_EQ(status_of(again.exchange(with_token)), 200);
}

TEST(Serve, SpeaksTlsAndReadsItsCertificateAgainWhenItIsRenewed) {
  Sandbox sandbox;
  const auto write = [&](long serial) {
    const MadeCertificate made(serial);
    sandbox.write("cert.pem", made.certificate());
    sandbox.write("key.pem", made.key());
  };
  write(1);
  Serving serving(sandbox, {"--tls-cert", "cert.pem", "--tls-key", "key.pem"});
  RawHttps early(serving.port());
  EXPECT_EQ(early.serial(), 1);
  const std::string request = post("runs/create", {{"run_name", "over-tls"}});
  EXPECT_EQ(status_of(early.exchange(request)), 200);
  write(2);
  serving.signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return RawHttps(serving.port()).serial() == 2; }));
  EXPECT_EQ(status_of(early.exchange(request)), 200);
  EXPECT_EQ(status_of(serving.client().exchange(request)), 400);
  const int status = serving.end(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Serve, RefusesACertificateThatItCannotServeWith) {
  Sandbox sandbox;
  const MadeCertificate one(1);
  sandbox.write("cert.pem", one.certificate());
  sandbox.write("key.pem", one.key_with_passphrase());
  sandbox.write("other.pem", MadeCertificate(2).key());
  const auto refusal = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"serve", "--port", "0"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Answer answer = sandbox.lockstep(arguments);
    EXPECT_EQ(answer.exit_code, 2);
    return answer.err;
  };
  EXPECT_THAT(refusal({"--tls-cert", "cert.pem", "--tls-key", "other.pem"}),
              HasSubstr("other.pem: this is not the key of the certificate in cert.pem"));
  EXPECT_THAT(refusal({"--tls-cert", "cert.pem", "--tls-key", "key.pem"}),
              HasSubstr("key.pem: the key has a passphrase"));
  EXPECT_THAT(refusal({"--tls-cert", "none.pem", "--tls-key", "key.pem"}), HasSubstr("none.pem"));
  EXPECT_THAT(refusal({"--tls-cert", "cert.pem"}), HasSubstr("--tls-cert and --tls-key go together"));
  EXPECT_THAT(refusal({"--tls-key", "key.pem"}), HasSubstr("--tls-cert and --tls-key go together"));
  EXPECT_FALSE(fs::exists(sandbox.folder() / ".lockstep" / "history.db"));
}

TEST(Serve, SaysWhereItCannotListen) {
  Sandbox sandbox;
  const Answer answer = sandbox.lockstep({"serve", "--host", "192.0.2.1", "--insecure", "--port", "0"});
  EXPECT_EQ(answer.exit_code, 1);
  EXPECT_THAT(answer.err, HasSubstr("cannot listen at 192.0.2.1:0"));
}

}  // namespace
}  // namespace lockstep::testing
