// The bytes of an archive: of a file, or of stdin and stdout; compressed or not.
#pragma once

#include <zlib.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/file.hpp"

namespace lockstep::history::transfer {

// Bytes one piece after the other, in memory of the reader's.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::size_t read(char* to, std::size_t most) = 0;  // 0: that was all
};

// Takes gzip for what it is, whatever the name says. `name` stands in errors.
class FileBytes : public ByteSource {
 public:
  FileBytes(Fd fd, std::string name);
  std::size_t read(char* to, std::size_t most) override;

 private:
  struct Close {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  std::string name_;
  std::unique_ptr<gzFile_s, Close> file_;
};

// A file under its name when close() returns, whole and synced; before that under another, which goes when this ends.
// "-" is stdout. Compressed if the name ends in ".gz".
class OutputFile {
 public:
  explicit OutputFile(const fs::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  void write(std::string_view bytes);
  void close();

 private:
  [[noreturn]] void fail() const;

  fs::path path_;
  fs::path part_;  // empty: stdout
  Fd fd_;
  gzFile_s* compressed_ = nullptr;
};

}  // namespace lockstep::history::transfer
