// What a descriptor that we print to can show: a terminal or a pipe, its width, colours, UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace lockstep::cli {

struct Terminal {
  bool is_terminal = false;  // lines may be redrawn
  bool colour = false;       // a terminal, and NO_COLOR is not set (no-color.org)
  bool utf8 = false;         // the locale's encoding; LC_ALL, LC_CTYPE, LANG in this order
  int width = 100;           // columns; of a pipe $COLUMNS, else 100
};

Terminal terminal_of(int fd);
int terminal_width(int fd);  // asked again before each drawing: windows change

// Columns that a UTF-8 text takes on a screen. Bytes that are no UTF-8 count one each.
int display_width(std::string_view text);

// At most `width` columns of the text; a cut is marked by "…" (or "..." without UTF-8).
std::string fit(std::string_view text, int width, bool utf8);

// Control characters become '?': a run's name or tag must not drive somebody's terminal.
std::string printable(std::string_view text);

// Sets the text in an SGR colour ("31" red, "1" bold, ...), if colours are on.
std::string coloured(std::string_view text, std::string_view sgr, bool on);

}  // namespace lockstep::cli
