// The bytes of a file, front to back; inflated on the way if they are gzip (by their first two bytes, not by name).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace lockstep::runner {

class InflatingReader {
 public:
  // `bytes` must outlive the reader; `name` is what errors call the file.
  InflatingReader(std::string_view bytes, std::string name);
  InflatingReader(InflatingReader&&) noexcept;
  ~InflatingReader();

  // Fills `out` as far as there are bytes; fewer than `count` means the end. Throws bad_input for a damaged or cut gzip
  // stream, and for foreign bytes after it. Members that follow one another are read as one, as gzip does.
  std::size_t read(std::uint8_t* out, std::size_t count);

 private:
  struct Gzip;
  std::string_view bytes_;  // plain: what is left
  std::string name_;
  std::unique_ptr<Gzip> gzip_;  // null: plain
};

}  // namespace lockstep::runner
