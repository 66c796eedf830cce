// https: the same server, behind TLS.
#include "history/server/http/tls.hpp"

#include <gmock/gmock.h>

#include "history/server/http/service.hpp"
#include "tests/support/made_certificate.hpp"
#include "tests/support/raw_https.hpp"
#include "tests/support/wait_until.hpp"
#include "tests/unit/http/running_server.hpp"

namespace lockstep::history::server::http {
namespace {

using lockstep::testing::body_of;
using lockstep::testing::MadeCertificate;
using lockstep::testing::RawHttp;
using lockstep::testing::RawHttps;
using lockstep::testing::status_of;
using lockstep::testing::wait_until;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CertificateFiles {
 public:
  CertificateFiles() { put(1); }
  void put(long serial) {
    const MadeCertificate made(serial);
    write_file(files().certificate, made.certificate());
    write_file(files().key, made.key());
  }
  TlsFiles files() const { return {folder_ / "cert.pem", folder_ / "key.pem"}; }
  static void write_file(const fs::path& file, const std::string& text) { write_file_atomically(file, text); }

 private:
  lockstep::testing::TemporaryFolder folder_;
};

class ServerWithTls : public RunningServer {
 protected:
  void SetUp() override {
    serve(Verb::post, "/echo", echo);
    serve(
        Verb::put, "/file",
        [](const Request& request) -> Work {
          return [file = request.uploaded](Store&) { return text(read_file(file)); };
        },
        Body::to_file);
    serve(Verb::get, "/url",
          [](const Request& request) -> Work { return [url = request.base_url](Store&) { return text(url); }; });
    serve(Verb::get, "/events", [](const Request&) -> Work {
      return [](Store&) {
        Reply reply;
        reply.events =
            EventSource{[](Store&) { return std::optional<std::string>("data: 1\n\n"); }, std::chrono::hours(1)};
        return reply;
      };
    });
  }
  void start_with_tls(Options options = {}) {
    options.tls = certificate_.files();
    options.tell = [this](const std::string& what) {
      const std::lock_guard lock(mutex_);
      told_ += what;
    };
    start(std::move(options));
  }
  std::string told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  ~ServerWithTls() override { stop(); }

  CertificateFiles certificate_;

 private:
  std::mutex mutex_;
  std::string told_;
};

const std::string url_request = "GET /url HTTP/1.1\r\nHost: x:5000\r\n\r\n";

TEST_F(ServerWithTls, ServesAsWithout) {
  start_with_tls();
  RawHttps one(port());
  EXPECT_EQ(body_of(one.exchange(url_request)), "https://x:5000");
  std::string large(3'000'000, 'x');
  for (std::size_t i = 0; i < large.size(); i += 1000) large[i] = static_cast<char>('a' + i % 26);
  for (const char* line : {"POST /echo", "PUT /file"}) {
    const std::string reply =
        one.exchange(fmt::format("{} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", line, large.size(), large));
    EXPECT_TRUE(body_of(reply) == large) << line;
  }
  EXPECT_EQ(counts().accepted, 1U);
}

TEST_F(ServerWithTls, SaysGoodbye) {
  start_with_tls();
  RawHttps one(port());
  one.exchange("GET /url HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(one.is_closed_by_goodbye());
  RawHttps early(port());
  EXPECT_EQ(status_of(early.exchange("POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nbegun")), 413);
  EXPECT_TRUE(early.is_closed_by_goodbye());
}

TEST_F(ServerWithTls, StreamsEventsAndStops) {
  start_with_tls();
  RawHttps one(port());
  one.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(one.until("data: 1\n\n\r\n"), EndsWith("9\r\ndata: 1\n\n\r\n"));
  stop();
  EXPECT_EQ(one.until("0\r\n\r\n"), "0\r\n\r\n");
}

TEST_F(ServerWithTls, TellsThoseWhoSpeakPlainHttp) {
  start_with_tls();
  RawHttp plain(port());
  EXPECT_THAT(plain.exchange(url_request),
              AllOf(StartsWith("HTTP/1.1 400 "), EndsWith("\r\n\r\nThis server speaks TLS: use https://\n")));
  EXPECT_TRUE(plain.is_closed_by_server());
  EXPECT_EQ(status_of(RawHttps(port()).exchange(url_request)), 200);
}

TEST_F(ServerWithTls, ClosesOnWhoSpeaksNothingOfTheKindOrNothing) {
  Options options;
  options.limits.header = std::chrono::seconds(1);
  start_with_tls(std::move(options));
  RawHttp silent(port());
  for (const char* bytes : {"\r\n\r\n", "SSH-2.0-x\r\n", "\x16\x03\x01\x00\x05hello world", "\x80\x2e\x01\x00\x02"}) {
    RawHttp other(port());
    other.send(bytes);
    EXPECT_TRUE(other.is_closed_by_server()) << bytes;
  }
  EXPECT_TRUE(silent.is_closed_by_server());
  EXPECT_EQ(status_of(RawHttps(port()).exchange(url_request)), 200);
}

TEST_F(ServerWithTls, IsNotHeldUpByAHandshakeWhenItStops) {
  start_with_tls();
  RawHttp silent(port());
  ASSERT_TRUE(wait_until([&] { return counts().connections == 1; }));
  const auto began = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST_F(ServerWithTls, SpeaksTls12AndNewer) {
  start_with_tls();
  EXPECT_EQ(status_of(RawHttps(port(), TLS1_2_VERSION).exchange(url_request)), 200);
  EXPECT_THROW(RawHttps(port(), TLS1_1_VERSION), boost::system::system_error);
}

TEST_F(ServerWithTls, ShowsANewCertificateToThoseWhoComeLater) {
  start_with_tls();
  RawHttps early(port());
  EXPECT_EQ(early.serial(), 1);
  certificate_.put(2);
  reload_tls();
  ASSERT_TRUE(wait_until([&] { return !told().empty(); }));
  EXPECT_EQ(RawHttps(port()).serial(), 2);
  EXPECT_EQ(status_of(early.exchange(url_request)), 200);
}

TEST_F(ServerWithTls, KeepsItsCertificateWhenTheNewOneIsBroken) {
  start_with_tls();
  CertificateFiles::write_file(certificate_.files().key, MadeCertificate(3).key());
  reload_tls();
  ASSERT_TRUE(wait_until([&] { return !told().empty(); }));
  EXPECT_THAT(told(), HasSubstr("The certificate stays as it was: "));
  EXPECT_EQ(RawHttps(port()).serial(), 1);
}

TEST(TlsFiles, SayWhatIsWrongWithThem) {
  const lockstep::testing::TemporaryFolder folder;
  const MadeCertificate one(1);
  const MadeCertificate other(2);
  const fs::path certificate = folder / "cert.pem";
  const fs::path key = folder / "key.pem";
  const auto wrong = [&](const std::string& certificate_text, const std::string& key_text) {
    CertificateFiles::write_file(certificate, certificate_text);
    CertificateFiles::write_file(key, key_text);
    const Error error = error_of([&] { tls_of({certificate, key}); });
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return std::string(error.what());
  };
  EXPECT_EQ(wrong(one.certificate(), other.key()),
            fmt::format("{}: this is not the key of the certificate in {}", key.string(), certificate.string()));
  EXPECT_THAT(wrong(one.certificate(), one.key_with_passphrase()),
              StartsWith(key.string() + ": the key has a passphrase"));
  EXPECT_THAT(wrong(one.certificate(), "nothing"), StartsWith(key.string() + ": there is no private key"));
  EXPECT_THAT(wrong(one.certificate(), one.certificate()), StartsWith(key.string() + ": there is no private key"));
  EXPECT_THAT(wrong("", one.key()), StartsWith(certificate.string() + ": there is no certificate"));
  EXPECT_THAT(wrong(one.key(), one.key()), StartsWith(certificate.string() + ": there is no certificate"));
  EXPECT_EQ(error_of([&] { tls_of({folder / "none", key}); }).code(), ExitCode::bad_input);
  EXPECT_THAT(error_of([&] { tls_of({folder / "none", key}); }).what(), HasSubstr((folder / "none").string()));
}

TEST(TlsFiles, MayHoldAChainAndBothInOne) {
  const lockstep::testing::TemporaryFolder folder;
  const MadeCertificate one(1);
  const fs::path both = folder / "both.pem";
  CertificateFiles::write_file(both, one.key() + one.certificate() + MadeCertificate(2).certificate());
  EXPECT_NE(tls_of({both, both}), nullptr);
}

TEST(Service, SaysThatItSpeaksTls) {
  const CertificateFiles certificate;
  const lockstep::testing::TemporaryFolder folder;
  Options options;
  options.port = 0;
  options.tls = certificate.files();
  EXPECT_THAT(Service(Workspace(folder / ".lockstep"), std::move(options)).url(), StartsWith("https://127.0.0.1:"));
}

}  // namespace
}  // namespace lockstep::history::server::http
