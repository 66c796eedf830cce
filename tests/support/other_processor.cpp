// Another processor for the program that is run with this library as its LD_AUDIT: every CPUID instruction of it faults
// and is answered here, so whatever chooses by the CPU when the program starts (oneDNN, the clones of our own loops,
// Open MPI) chooses as it would there. libc alone has looked before; GLIBC_TUNABLES tells it likewise.
//   LOCKSTEP_TEST_PROCESSOR  sse41, avx, avx2 or avx512_core: what it has at most; empty: all that this one has
//   LOCKSTEP_TEST_CACHES     "<bytes of L1 data>,<bytes of L2>", or "unknown", as old programs see AMD's
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

enum Level { sse41, avx, avx2, avx512_core, whole };
Level level = whole;
bool caches_are_unknown = false;
unsigned long l1_bytes = 0;  // 0: as they are
unsigned long l2_bytes = 0;

struct Registers {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
};

void clear(unsigned& bits, std::initializer_list<unsigned> which) {
  for (const unsigned bit : which) bits &= ~(1U << bit);
}

// Intel's manual, volume 2, CPUID: leaf 1 (ECX: 12 FMA, 28 AVX, 29 F16C), leaf 7 (EBX: 5 AVX2, 16.. AVX-512).
void hide_instructions(unsigned leaf, unsigned part, Registers& r) {
  if (leaf == 1 && level < avx2) clear(r.c, {12, 29});
  if (leaf == 1 && level < avx) clear(r.c, {28});
  if (leaf == 7 && part == 0) {
    if (level < whole) {  // VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ; 4VNNIW, 4FMAPS, VP2INTERSECT, FP16, AMX
      clear(r.c, {1, 6, 11, 12, 14});
      clear(r.d, {2, 3, 8, 22, 23, 24, 25});
    }
    if (level < avx512_core) clear(r.b, {16, 17, 21, 26, 27, 28, 30, 31});
    if (level < avx2) clear(r.b, {5});
  }
  if (leaf == 7 && part == 1 && level < whole) clear(r.a, {4, 5});  // AVX-VNNI, AVX512-BF16
}

void change_caches(unsigned leaf, Registers& r) {
  if (leaf != 4) return;
  if (caches_are_unknown) r = {};
  const unsigned type = r.a & 31U;
  const unsigned depth = (r.a >> 5U) & 7U;
  const unsigned long wanted = depth == 1 && type == 1 ? l1_bytes : depth == 2 ? l2_bytes : 0;
  if (wanted == 0) return;
  const unsigned long of_a_set = ((r.b & 0xfffUL) + 1) * (((r.b >> 12U) & 0x3ffUL) + 1) * ((r.b >> 22U) + 1UL);
  r.c = static_cast<unsigned>(wanted / of_a_set - 1);
}

bool let_cpuid_fault(bool faults) { return ::syscall(SYS_arch_prctl, ARCH_SET_CPUID, faults ? 0 : 1) == 0; }

void answer(int number, siginfo_t* /*info*/, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const unsigned char cpuid[] = {0x0f, 0xa2};
  if (std::memcmp(reinterpret_cast<const void*>(registers[REG_RIP]), cpuid, sizeof cpuid) != 0) {
    ::signal(number, SIG_DFL);  // a real one: it comes again
    return;
  }
  const auto leaf = static_cast<unsigned>(registers[REG_RAX]);
  const auto part = static_cast<unsigned>(registers[REG_RCX]);
  Registers r;
  let_cpuid_fault(false);
  __cpuid_count(leaf, part, r.a, r.b, r.c, r.d);
  let_cpuid_fault(true);
  hide_instructions(leaf, part, r);
  change_caches(leaf, r);
  registers[REG_RAX] = r.a;
  registers[REG_RBX] = r.b;
  registers[REG_RCX] = r.c;
  registers[REG_RDX] = r.d;
  registers[REG_RIP] += sizeof cpuid;
}

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "other_processor: %s\n", why);
  std::_Exit(1);
}

void read_wishes() {
  const char* const names[] = {"sse41", "avx", "avx2", "avx512_core"};
  const char* const processor = std::getenv("LOCKSTEP_TEST_PROCESSOR");
  for (int i = 0; processor != nullptr && i < 4; ++i) {
    if (std::strcmp(processor, names[i]) == 0) level = static_cast<Level>(i);
  }
  if (processor != nullptr && *processor != '\0' && level == whole) give_up("no such LOCKSTEP_TEST_PROCESSOR");
  const char* const caches = std::getenv("LOCKSTEP_TEST_CACHES");
  if (caches == nullptr) return;
  caches_are_unknown = std::strcmp(caches, "unknown") == 0;
  if (caches_are_unknown) return;
  char* comma = nullptr;
  l1_bytes = std::strtoul(caches, &comma, 10);
  if (*comma != ',') give_up("LOCKSTEP_TEST_CACHES is not <L1>,<L2>");
  l2_bytes = std::strtoul(comma + 1, nullptr, 10);
}

}  // namespace

// The dynamic linker calls this before it relocates the program (rtld-audit(7)).
extern "C" unsigned la_version(unsigned version) {
  read_wishes();
  struct sigaction action = {};
  action.sa_sigaction = answer;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigaction(SIGSEGV, &action, nullptr);
  if (!let_cpuid_fault(true)) give_up("CPUID does not fault here");
  return version;
}
