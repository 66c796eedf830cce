#include "launcher/supervise/retry.hpp"

#include <poll.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "history/store/store.hpp"
#include "launcher/supervise/say.hpp"

namespace lockstep::supervise {

constexpr int pause_ms = 200;

void with_retries(const std::function<void()>& act, std::int64_t limit_ms) {
  const std::int64_t deadline = monotonic_ms() + limit_ms;
  for (bool said = false;; said = true) {
    try {
      act();
      return;
    } catch (const history::StaleOwner&) {
      throw;
    } catch (const history::RefusedTransition&) {
      throw;
    } catch (const Error& error) {
      if (error.code() != ExitCode::failed || monotonic_ms() >= deadline) throw;
      if (!said) say("supervisor", fmt::format("{}; trying again", error.what()));
    }
    ::poll(nullptr, 0, pause_ms);
  }
}

}  // namespace lockstep::supervise
