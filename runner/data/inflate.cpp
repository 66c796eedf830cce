#include "runner/data/inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/error.hpp"

namespace lockstep::runner {

static bool starts_as_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

struct InflatingReader::Gzip {
  z_stream stream{};
  std::string_view input;  // not yet given to zlib, whose counters have 32 bits
  bool ended = false;

  explicit Gzip(std::string_view bytes) : input(bytes) {
    constexpr int gzip_only = 16;
    if (inflateInit2(&stream, MAX_WBITS + gzip_only) != Z_OK) throw failure("zlib could not be started");
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() { inflateEnd(&stream); }

  void refill() {
    if (stream.avail_in != 0) return;
    const std::size_t piece = std::min<std::size_t>(input.size(), 1U << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream.avail_in = static_cast<uInt>(piece);
    input.remove_prefix(piece);
  }
  std::string_view left() const {
    return {reinterpret_cast<const char*>(stream.next_in), stream.avail_in + input.size()};  // one range: see refill
  }
};

InflatingReader::InflatingReader(std::string_view bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {
  if (starts_as_gzip(bytes)) gzip_ = std::make_unique<Gzip>(bytes);
}
InflatingReader::InflatingReader(InflatingReader&&) noexcept = default;
InflatingReader::~InflatingReader() = default;

std::size_t InflatingReader::read(std::uint8_t* out, std::size_t count) {
  if (gzip_ == nullptr) {
    const std::size_t got = std::min(count, bytes_.size());
    if (got > 0) std::memcpy(out, bytes_.data(), got);
    bytes_.remove_prefix(got);
    return got;
  }
  z_stream& stream = gzip_->stream;
  std::size_t got = 0;
  while (got < count && !gzip_->ended) {
    gzip_->refill();
    if (stream.avail_in == 0) throw bad_input("{}: the gzip stream is cut short", name_);
    const std::size_t wanted = std::min<std::size_t>(count - got, 1U << 30);
    stream.next_out = out + got;
    stream.avail_out = static_cast<uInt>(wanted);
    const int code = inflate(&stream, Z_NO_FLUSH);
    got += wanted - stream.avail_out;
    if (code == Z_STREAM_END) {
      const std::string_view left = gzip_->left();
      gzip_->ended = left.empty();
      if (left.empty()) break;
      if (!starts_as_gzip(left)) throw bad_input("{}: {} foreign bytes after the gzip stream", name_, left.size());
      inflateReset(&stream);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      throw bad_input("{}: the gzip stream is damaged ({})", name_, stream.msg == nullptr ? "unknown" : stream.msg);
    }
  }
  return got;
}

}  // namespace lockstep::runner
