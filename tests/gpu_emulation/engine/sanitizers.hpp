// What the sanitizers must be told of stacks that change hands; nothing in a build without them. The engine itself is
// compiled without TSan even where kernels have it (its state is the scheduler's own), so that is chosen by a macro.
#pragma once

#include <cstddef>

// NOLINTBEGIN(bugprone-reserved-identifier): the sanitizers' own; their headers belong to one compiler each
extern "C" {
void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom, std::size_t bytes);
void __sanitizer_finish_switch_fiber(void* fake_stack_save, const void** bottom_old, std::size_t* bytes_old);
void __asan_unpoison_memory_region(const volatile void* begin, std::size_t bytes);
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void* __tsan_get_current_fiber();
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace lockstep::emulation {

namespace asan {
#ifdef __SANITIZE_ADDRESS__
inline void start_switch(void** save, const void* bottom, std::size_t bytes) {
  __sanitizer_start_switch_fiber(save, bottom, bytes);
}
inline void finish_switch(void* saved) { __sanitizer_finish_switch_fiber(saved, nullptr, nullptr); }
inline void unpoison(void* memory, std::size_t bytes) { __asan_unpoison_memory_region(memory, bytes); }
#else
inline void start_switch(void**, const void*, std::size_t) {}
inline void finish_switch(void*) {}
inline void unpoison(void*, std::size_t) {}
#endif
}  // namespace asan

namespace tsan {
#ifdef LOCKSTEP_EMULATION_TSAN
inline constexpr bool is_on = true;
inline void* this_fiber() { return __tsan_get_current_fiber(); }
inline void* new_fiber() { return __tsan_create_fiber(0); }
inline void delete_fiber(void* fiber) { __tsan_destroy_fiber(fiber); }
// 1: a switch orders nothing. Threads of a block are ordered by what CUDA says alone.
inline void switch_to(void* fiber) { __tsan_switch_to_fiber(fiber, 1); }
inline void acquire(void* what) { __tsan_acquire(what); }
inline void release(void* what) { __tsan_release(what); }
#else
inline constexpr bool is_on = false;
inline void* this_fiber() { return nullptr; }
inline void* new_fiber() { return nullptr; }
inline void delete_fiber(void*) {}
inline void switch_to(void*) {}
inline void acquire(void*) {}
inline void release(void*) {}
#endif
}  // namespace tsan

}  // namespace lockstep::emulation
