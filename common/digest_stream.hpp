// SHA-256 of bytes that pass by: a copy or a download that is hashed on its way.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace lockstep {

class DigestStream {
 public:
  DigestStream();
  DigestStream(DigestStream&&) noexcept;
  DigestStream& operator=(DigestStream&&) noexcept;
  ~DigestStream();

  void add(std::string_view bytes);
  std::string hex();  // of everything added; nothing can be added afterwards

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep
