// Ctrl-C as something to wait for, while a run is followed.
#pragma once

#include "common/file.hpp"

namespace lockstep::cli {

// From its making until its end SIGINT is counted instead of ending the command. Only one at a time.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  int fd() const { return pipe_.first.get(); }  // readable after a Ctrl-C, until count() was called
  int count();                                  // how many came since the beginning

 private:
  std::pair<Fd, Fd> pipe_;
};

}  // namespace lockstep::cli
