#include "launcher/entrypoint/attend.hpp"

#include <csignal>
#include <utility>

#include "common/error.hpp"
#include "common/process_file.hpp"
#include "launcher/entrypoint/notices.hpp"
#include "launcher/entrypoint/say.hpp"
#include "launcher/entrypoint/sink.hpp"
#include "launcher/entrypoint/stay.hpp"

namespace lockstep::entrypoint {

namespace {
bool is_run(const Environment& environment) { return !value_of(environment, "LOCKSTEP_RUN_DIR").empty(); }

class Attendant {
 public:
  Attendant(const RankPlace& place, const Options& options, const Environment& environment)
      : place_(place),
        environment_(environment),
        service_(metadata_service(environment)),
        is_task_(is_run(environment) && !place.tasks.empty()),
        folder_(value_of(environment, "LOCKSTEP_RUN_DIR")) {
    if (!options.sink.empty()) sink_.emplace(options.sink, place, environment);
  }

  void take_output() const {
    if (sink_) sink_->take_output();
  }

  void look(Command& command) {
    unharmed([&] {
      if (is_parameter_server() && have_workers_ended()) command.dismiss();
    });
    unharmed([&] {
      if (!notices_ && service_) notices_.emplace(*service_, place_, environment_);
      if (notices_) pass_on(notices_->fresh());
    });
    unharmed([&] {
      if (sink_) sink_->look();
    });
  }

  void end(int wait_status) {
    notices_.reset();
    unharmed([&] {
      if (is_task_) write_process_file(folder_.ended_file(place_.rank), this_process());
    });
    unharmed([&] {
      if (sink_) sink_->end(wait_status);
    });
  }

 private:
  // What goes wrong with one duty must end neither the command nor the other duties. Said once: a full disk stays full.
  template <class Duty>
  void unharmed(const Duty& duty) {
    try {
      duty();
    } catch (const std::exception& error) {
      if (!std::exchange(said_, true)) say(error.what());
    }
  }

  // A program that saves when it is asked to is asked, at once or as soon as it says that it can; any other would die
  // of the signal.
  void pass_on(const std::vector<Notice>& notices) {
    for (const Notice& each : notices) {
      owed_ = fmt::format("Azure will {} this machine{}{}", each.type, each.not_before.empty() ? "" : ", not before ",
                          each.not_before);
    }
    if (owed_.empty()) return;
    const auto saves = read_process_file(value_of(environment_, "LOCKSTEP_STOPPABLE_FILE"));
    if (saves && send_signal(*saves, SIGUSR1)) {
      tell(std::exchange(owed_, "") + ": the program was asked to save");
    } else if (!notices.empty()) {
      tell(owed_ + ": the program does not say yet that it can save");
    }
  }

  void tell(const std::string& text) {
    if (sink_) return sink_->note(text);
    say(text);
  }

  bool is_parameter_server() const {
    return is_task_ && place_.tasks.at(static_cast<std::size_t>(place_.rank)).role == Role::parameter_server;
  }

  // Nobody needs the parameter servers any more.
  bool have_workers_ended() const {
    for (std::size_t rank = 0; rank < place_.tasks.size(); ++rank) {
      if (place_.tasks[rank].role != Role::worker) continue;
      const auto registered = read_registration(folder_, static_cast<int>(rank));
      const auto ended = read_process_file(folder_.ended_file(static_cast<int>(rank)));
      if (!registered || ended != registered->process) return false;
    }
    return true;
  }

  const RankPlace& place_;
  const Environment& environment_;
  std::optional<MetadataService> service_;
  bool is_task_;      // of a TensorFlow job in a run,
  RunFolder folder_;  // whose folder this is
  std::optional<Sink> sink_;
  std::optional<Notices> notices_;
  std::string owed_;  // the last notice, until the program was asked to save
  bool said_ = false;
};
}  // namespace

bool needs_attendance(const RankPlace& place, const Options& options, const Environment& environment) {
  return !options.sink.empty() || (is_run(environment) && !place.tasks.empty());
}

void attend(const RankPlace& place, const Options& options, const Environment& environment,
            const std::function<void()>& become_command) {
  Attendant attendant(place, options, environment);
  const int status = stay_with(
      [&] {
        attendant.take_output();
        become_command();
      },
      [&](Command& command) { attendant.look(command); });
  attendant.end(status);
  end_like(status);
}

}  // namespace lockstep::entrypoint
