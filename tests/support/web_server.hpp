// web_server.py, running for as long as the object lives.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace lockstep::testing {

class WebServer {
 public:
  WebServer() {
    auto [input_read, input_write] = make_pipe();
    auto [port_read, port_write] = make_pipe();
    ProgramSpec program;
    program.argv = {"python3", LOCKSTEP_SOURCE_DIR "/tests/support/web_server.py", folder_.path().string()};
    program.environment = current_environment();
    program.stdin_fd = input_read.get();
    program.stdout_fd = port_write.get();
    process_ = start_program(program);
    input_ = std::move(input_write);
    port_write.reset();
    char digit = 0;
    while (::read(port_read.get(), &digit, 1) == 1 && digit != '\n') port_ += digit;
    if (port_.empty()) throw std::runtime_error("the web server did not start");
  }
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  ~WebServer() { stop(); }

  void stop() {
    if (!input_) return;
    input_.reset();
    ::waitpid(process_.pid, nullptr, 0);
  }
  std::string address(const std::string& path) const { return "http://127.0.0.1:" + port_ + path; }
  void put(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  // One "STATUS PATH" for every answer so far.
  std::vector<std::string> requests() const {
    std::ifstream log(folder_ / "requests.log");
    std::vector<std::string> lines;
    for (std::string line; std::getline(log, line);) lines.push_back(line);
    return lines;
  }

 private:
  TemporaryFolder folder_;
  Fd input_;
  ProcessId process_;
  std::string port_;
};

}  // namespace lockstep::testing
