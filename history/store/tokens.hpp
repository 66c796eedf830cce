// Tokens: what a client shows to be let in, and what it may then do. Of a token only its hash is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::history {

// What is asked of a client. Each includes those before it.
enum class Scope {
  none,   // nothing: everybody may
  read,   // sees everything
  write,  // makes and changes
  admin,  // removes and renames, too, what others made
};
std::string_view name_of(Scope scope);
std::optional<Scope> scope_named(std::string_view name);  // none has no name

struct Permit {
  Scope scope = Scope::none;
  std::string run_id;  // empty: of everything; else what it changes is this run and those below it
};

struct AccessToken {
  std::string token_id;  // its name in lists; tells nothing of the token itself
  Permit permit;
  std::string note;  // what it is for
  std::int64_t created_ms = 0;
  std::int64_t expires_ms = 0;  // 0: never
};

inline bool is_over(const AccessToken& token, std::int64_t now_ms) {
  return token.expires_ms != 0 && token.expires_ms <= now_ms;
}

class Tokens {
 public:
  virtual ~Tokens() = default;

  // `sha256`: of the token's text, as sha256_hex gives it. not_found if it is of a run that is not there.
  virtual void create_token(const AccessToken& token, const std::string& sha256) = 0;
  virtual std::optional<AccessToken> find_token(
      const std::string& sha256) = 0;                          // nullopt: no such one, or its time is over
  virtual std::vector<AccessToken> list_tokens() = 0;          // oldest first, with those that are over
  virtual void delete_token(const std::string& token_id) = 0;  // not_found
};

}  // namespace lockstep::history
