#include <charconv>

#include "common/error.hpp"
#include "launcher/supervise/keeper.hpp"

namespace lockstep::supervise {

Message start_message(const Program& program) {
  Message message{"start", {std::to_string(program.argv.size())}};
  message.fields.insert(message.fields.end(), program.argv.begin(), program.argv.end());
  message.fields.push_back(program.working_folder.string());
  for (const auto& [name, value] : program.environment) message.fields.push_back(name + "=" + value);
  return message;
}

Program program_of(const Message& message) {
  const auto& fields = message.fields;
  std::size_t argc = 0;
  if (!fields.empty()) std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), argc);
  if (message.word != "start" || argc == 0 || fields.size() < argc + 2) throw failure("not a start message");
  Program program;
  const auto argv = fields.begin() + 1;
  const auto after_argv = argv + static_cast<std::ptrdiff_t>(argc);
  program.argv.assign(argv, after_argv);
  program.working_folder = *after_argv;
  for (auto each = after_argv + 1; each != fields.end(); ++each) {
    const auto equals = each->find('=');
    program.environment.emplace(each->substr(0, equals), each->substr(equals + 1));
  }
  return program;
}

Message stop_message(const StopRequest& stop) {
  return {"stop", {std::string(history::name_of(stop.state)), stop.reason}};
}

StopRequest stop_of(const Message& message) {
  if (message.word != "stop" || message.fields.size() != 2) throw failure("not a stop message");
  return {history::state_named(message.fields[0]).value_or(history::RunState::failed), message.fields[1]};
}

}  // namespace lockstep::supervise
