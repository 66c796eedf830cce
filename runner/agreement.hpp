// Ranks that agree on whether something worked, so that all of them leave together and one of them says why.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "runner/collective/collective.hpp"

namespace lockstep::runner {

// An error that every rank knows of and throws; the one that speaks prints it.
class AgreedError : public Error {
 public:
  AgreedError(ExitCode code, const std::string& message, bool speaks) : Error(code, message), speaks_(speaks) {}
  bool speaks() const { return speaks_; }

 private:
  bool speaks_;
};

// How one rank fared with something that all ranks tried.
struct Fared {
  ExitCode code = ExitCode::done;
  std::string message;
};

// Collective. Returns when it worked on every rank; else throws AgreedError with the lowest failing rank's code and, on
// that rank, its message (with rank and host in front, unless all ranks failed alike).
void agree(Collective& collective, const Fared& fared);

// Collective: runs `work` on every rank, then agrees.
template <class Work>
auto agreed(Collective& collective, Work work) -> decltype(work()) {
  std::optional<decltype(work())> result;
  Fared fared;
  try {
    result.emplace(work());
  } catch (const Error& error) {
    fared = {error.code(), error.what()};
  } catch (const std::exception& error) {
    fared = {ExitCode::failed, error.what()};
  }
  agree(collective, fared);
  return std::move(*result);
}

// Collective: one number of each rank (not negative), known to all.
std::vector<std::int64_t> gather(Collective& collective, std::int64_t mine);

// Collective: throws AgreedError, naming the ranks that differ from rank 0, unless these bytes are equal on all of
// them.
void check_same_everywhere(Collective& collective, std::span<const float> values, const std::string& what);

std::string rank_and_host(const Collective& collective);  // "rank 3 on node-2"

}  // namespace lockstep::runner
