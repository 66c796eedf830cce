// The URL of a PostgreSQL database, as libpq takes it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::history {

class PostgresUrl {
 public:
  static bool is_one(std::string_view text);  // postgresql:// or postgres://, also in SQLAlchemy's postgresql+driver://

  // bad_input: what libpq can't read.
  explicit PostgresUrl(const std::string& url);

  // What to connect with: the URL's settings, and ours where it has none. They see to it that nobody waits for ever for
  // a server that is gone, and that a server doesn't wait for us.
  const std::vector<std::pair<std::string, std::string>>& settings() const { return settings_; }

  std::string shown() const;  // "postgresql://host:port/name": no user, no password

 private:
  std::string value(std::string_view name, std::string_view otherwise) const;

  std::vector<std::pair<std::string, std::string>> settings_;
};

}  // namespace lockstep::history
