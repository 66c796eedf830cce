#include "history/store/postgres_url.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>

#include "common/error.hpp"

namespace lockstep::history {

static constexpr std::string_view schemes[] = {"postgresql", "postgres"};

// Of SQLAlchemy's "postgresql+psycopg2://" the driver is none of libpq's business.
static std::string without_driver(std::string_view url) {
  const std::size_t plus = url.find('+');
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos || plus > colon) return std::string(url);
  return std::string(url.substr(0, plus)) + std::string(url.substr(colon));
}

bool PostgresUrl::is_one(std::string_view text) {
  const std::string url = without_driver(text);
  return std::ranges::any_of(schemes,
                             [&](std::string_view scheme) { return url.starts_with(std::string(scheme) + "://"); });
}

PostgresUrl::PostgresUrl(const std::string& url) {
  char* said = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(without_driver(url).c_str(), &said), PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> message(said, PQfreemem);
  if (!options) throw bad_input("the store's URL is none of PostgreSQL's: {}", said == nullptr ? "" : said);
  for (const PQconninfoOption* each = options.get(); each->keyword != nullptr; ++each) {
    if (each->val != nullptr) settings_.emplace_back(each->keyword, each->val);
  }
  constexpr std::pair<const char*, const char*> ours[] = {
      {"connect_timeout", "10"},   {"keepalives_idle", "10"},     {"keepalives_interval", "5"},
      {"keepalives_count", "3"},   {"tcp_user_timeout", "30000"}, {"fallback_application_name", "lockstep"},
      {"client_encoding", "UTF8"},
  };
  for (const auto& [name, setting] : ours) {
    if (value(name, "").empty()) settings_.emplace_back(name, setting);
  }
}

std::string PostgresUrl::value(std::string_view name, std::string_view otherwise) const {
  for (const auto& [known, setting] : settings_) {
    if (known == name) return setting;
  }
  return std::string(otherwise);
}

std::string PostgresUrl::shown() const {
  const std::string port = value("port", "");
  return "postgresql://" + value("host", "") + (port.empty() ? "" : ":" + port) + "/" + value("dbname", "");
}

}  // namespace lockstep::history
