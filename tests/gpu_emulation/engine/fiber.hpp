// A stack that an OS thread can step onto and off again: every CUDA thread of a block runs on one. x86-64 only.
#pragma once

#include <cstddef>

namespace lockstep::emulation {

class Fiber {
 public:
  using Entry = void (*)();  // begins by calling Fiber::begun(); never returns

  Fiber();  // the stack that the calling OS thread is on
  Fiber(std::size_t stack_bytes, Entry entry);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Makes a fiber that was left for good begin at its entry again.
  void restart();

  // Steps from the fiber that runs onto another; returns when somebody steps back. A fiber that is `done` is never
  // stepped onto again before restart().
  static void step(Fiber& from, Fiber& to, bool done = false);
  static void begun();

 private:
  void* stack_pointer_ = nullptr;
  char* stack_ = nullptr;
  std::size_t stack_bytes_ = 0;
  Entry entry_ = nullptr;
  void* fake_stack_ = nullptr;  // ASan's
  void* thread_ = nullptr;      // TSan's
};

}  // namespace lockstep::emulation
