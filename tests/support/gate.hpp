// Where a job of a test waits until the test lets it go on: a named pipe that the test holds open from the start, so
// that neither side ever waits for the other to open it, and what was let go before it waits is not lost.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::testing {

class Gate {
 public:
  explicit Gate(const std::filesystem::path& file) : file_(file.string()) {
    if (::mkfifo(file_.c_str(), 0600) != 0) throw system_failure(file_);
    pipe_ = Fd(::open(file_.c_str(), O_RDWR | O_CLOEXEC));
    if (!pipe_) throw system_failure(file_);
  }
  // A shell command that waits, to be put into a job.
  std::string wait() const { return "read -r < " + file_; }
  // One process goes on: one line is one byte, and a pipe gives a byte to one reader.
  void let_one_go() const {
    if (::write(pipe_.get(), "\n", 1) != 1) throw system_failure(file_);
  }

 private:
  std::string file_;
  Fd pipe_;
};

}  // namespace lockstep::testing
