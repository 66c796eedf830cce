// Any bytes may stand in a journal. What is taken for an entry must come back the same from its own line, and cutting
// the input anywhere must not make two readers disagree.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "history/sink/journal.hpp"

using namespace lockstep;
using namespace lockstep::history;

static void require(bool fact) {
  if (!fact) std::abort();
}

// A file in memory that can be opened by its path.
static fs::path file_with(std::string_view text) {
  static const int fd = ::memfd_create("journal", MFD_CLOEXEC);
  require(fd >= 0 && ::ftruncate(fd, 0) == 0);
  require(::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return fmt::format("/proc/self/fd/{}", fd);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto entry = parse_journal_line(text)) {
    const std::string line = journal_line(*entry);
    require(line.find('\n') == std::string::npos);
    if (line.size() <= longest_journal_line) {
      const auto again = parse_journal_line(line);
      require(again.has_value() && journal_line(*again) == line);
    }
  }
  const fs::path file = file_with(text);
  Journal journal(file, 0);
  const std::int64_t next = journal.next_sequence();
  require(next >= 0);
  journal.log({});
  JournalReader whole(file);
  JournalReader in_pieces(file);
  const auto all = whole.read_new();
  require(!all.empty() && all.back().sequence == next);
  std::size_t count = 0;
  for (auto piece = in_pieces.read_new(1); !piece.empty(); piece = in_pieces.read_new(1)) count += piece.size();
  require(count == all.size());
  return 0;
}
