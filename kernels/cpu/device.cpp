#include "kernels/cpu/device.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "common/error.hpp"
#include "kernels/cpu/operations.hpp"

// The one call that is needed of OpenMP. <omp.h> is the compiler's own, and clang's lint would not find g++'s.
extern "C" void omp_set_num_threads(int threads);

namespace lockstep::kernels::cpu {

CpuDevice::CpuDevice(const CpuWays& ways) : ways_(ways), engine_(dnnl::engine::kind::cpu, 0) {
  if (ways.threads < 1) throw bad_input("a CPU device needs at least 1 thread, not {}", ways.threads);
  use_threads();
  planner_ = make_planner(*this);
}

std::string CpuDevice::name() const {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("cpu: oneDNN {}.{}.{}, {} thread{}", version->major, version->minor, version->patch, ways_.threads,
                     ways_.threads == 1 ? "" : "s");
}

Buffer CpuDevice::allocate(std::size_t bytes) {
  if (bytes == 0) return {};
  // MAP_POPULATE touches every page now. Large maps ask for huge pages first: page faults and TLB misses cost most.
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) throw failure("no memory for {} bytes: {}", bytes, std::strerror(errno));
  constexpr std::size_t huge_page = std::size_t{2} << 20U;
  if (bytes >= huge_page) ::madvise(data, bytes, MADV_HUGEPAGE);
  std::memset(data, 0, bytes);
  return {data, bytes, [](void* memory, std::size_t size) { ::munmap(memory, size); }};
}

void CpuDevice::copy(void* to, const void* from, std::size_t bytes, Stream& stream) {
  stream.synchronize();
  if (bytes > 0) std::memcpy(to, from, bytes);
}

std::unique_ptr<Recording> CpuDevice::record(Stream& /*stream*/, const std::function<void()>& /*work*/) {
  throw failure("a CPU's work is done at once: there is nothing to record");
}

void CpuDevice::use_threads() const { omp_set_num_threads(ways_.threads); }

void CpuDevice::reserve_scratch(std::size_t bytes) {
  if (bytes > scratch_.bytes()) scratch_ = allocate(bytes);
}

CpuStream& of(Stream& stream) { return static_cast<CpuStream&>(stream); }

}  // namespace lockstep::kernels::cpu
