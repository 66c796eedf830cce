#include "history/store/postgres_sql.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace lockstep::history {

namespace {
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Translation {
 public:
  explicit Translation(std::string_view sql) : rest_(sql) {}

  PostgresSql take() {
    while (!rest_.empty()) step();
    all_.reads_metrics =
        all_.text.find("FROM metrics ") != std::string::npos || all_.text.find("JOIN metrics ") != std::string::npos;
    return std::move(all_);
  }

 private:
  void step() {
    if (rest_.front() == '\'') return text();
    if (rest_.front() == '?') return parameter();
    if (takes("INDEXED BY ")) return leave_out_word();
    if (takes("GLOB ?")) return add_pattern("LIKE ");
    if (takes("LIKE ?")) return add_pattern("ILIKE ");
    if (takes("json_each(?)")) {
      all_.text += "json_array_elements_text(CAST(";
      add_parameter(all_.parameters + 1);
      all_.text += " AS json)) AS list(value)";
      return;
    }
    if (takes("AND +")) {
      all_.text += "AND ";
      return;
    }
    all_.text += rest_.front();
    rest_.remove_prefix(1);
  }

  bool takes(std::string_view words) {
    const bool inside_word = !all_.text.empty() && is_word(all_.text.back());
    if (inside_word || !rest_.starts_with(words)) return false;
    rest_.remove_prefix(words.size());
    return true;
  }

  void text() {  // '' within it ends one text and begins the next: all the same
    const std::size_t length = std::min(rest_.find('\'', 1), rest_.size() - 1) + 1;
    all_.text += rest_.substr(0, length);
    rest_.remove_prefix(length);
  }

  void parameter() {
    rest_.remove_prefix(1);
    int number = all_.parameters + 1;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error == std::errc()) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    add_parameter(number);
  }

  void add_parameter(int number) {
    all_.text += '$';
    all_.text += std::to_string(number);
    all_.parameters = std::max(all_.parameters, number);
  }

  void add_pattern(std::string_view comparison) {
    all_.text += comparison;
    add_parameter(all_.parameters + 1);
    all_.text += " ESCAPE ''";
  }

  void leave_out_word() {
    while (!rest_.empty() && is_word(rest_.front())) rest_.remove_prefix(1);
  }

  std::string_view rest_;
  PostgresSql all_;
};
}  // namespace

PostgresSql in_postgres_words(std::string_view sql) { return Translation(sql).take(); }

}  // namespace lockstep::history
