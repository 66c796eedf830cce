#include "tests/gpu_emulation/engine/fiber.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "tests/gpu_emulation/engine/sanitizers.hpp"

#ifndef __x86_64__
#error "the switch below is for x86-64"
#endif

// Saves what the System V ABI asks a callee to keep, and the stack pointer; loads the other's.
extern "C" void lockstep_fiber_switch(void** save, void* load);
asm(R"(.text
.globl lockstep_fiber_switch
.type lockstep_fiber_switch, @function
lockstep_fiber_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size lockstep_fiber_switch, .-lockstep_fiber_switch
)");

namespace lockstep::emulation {

static std::size_t guard_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

Fiber::Fiber() : thread_(tsan::this_fiber()) {
  pthread_attr_t attributes;
  ::pthread_getattr_np(::pthread_self(), &attributes);
  void* lowest = nullptr;
  ::pthread_attr_getstack(&attributes, &lowest, &stack_bytes_);
  ::pthread_attr_destroy(&attributes);
  stack_ = static_cast<char*>(lowest);
}

Fiber::Fiber(std::size_t stack_bytes, Entry entry) : stack_bytes_(stack_bytes), entry_(entry) {
  // A page that nobody may touch lies below: a kernel with too large a frame crashes instead of writing elsewhere.
  void* memory = ::mmap(nullptr, stack_bytes + guard_bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  ::mprotect(memory, guard_bytes(), PROT_NONE);
  stack_ = static_cast<char*>(memory) + guard_bytes();
  thread_ = tsan::new_fiber();
  restart();
}

Fiber::~Fiber() {
  if (entry_ == nullptr) return;
  tsan::delete_fiber(thread_);
  asan::unpoison(stack_, stack_bytes_);
  ::munmap(stack_ - guard_bytes(), stack_bytes_ + guard_bytes());
}

void Fiber::restart() {
  constexpr int saved_registers = 6;
  auto** top = reinterpret_cast<void**>(stack_ + stack_bytes_);
  *--top = nullptr;                          // keeps the stack aligned as after a call
  *--top = reinterpret_cast<void*>(entry_);  // what the switch returns to
  for (int i = 0; i < saved_registers; ++i) *--top = nullptr;
  stack_pointer_ = static_cast<void*>(top);
  fake_stack_ = nullptr;
  asan::unpoison(stack_, stack_bytes_);
}

void Fiber::step(Fiber& from, Fiber& to, bool done) {
  asan::start_switch(done ? nullptr : &from.fake_stack_, to.stack_, to.stack_bytes_);
  tsan::switch_to(to.thread_);
  lockstep_fiber_switch(&from.stack_pointer_, to.stack_pointer_);
  asan::finish_switch(from.fake_stack_);
}

void Fiber::begun() { asan::finish_switch(nullptr); }

}  // namespace lockstep::emulation
