// Any bytes as a filter and as an order_by text of each kind of thing: either bad_input, or clauses and sort keys
// within the limits, with values of the kind that the store expects.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/error.hpp"
#include "common/utf8.hpp"
#include "history/search/filter.hpp"

namespace {

using namespace lockstep::history;

void require(bool fact) {
  if (!fact) std::abort();
}

template <class Parse>
void expect_bad_input_or_nothing(const Parse& parse) {
  try {
    parse();
  } catch (const lockstep::Error& error) {
    require(error.code() == lockstep::ExitCode::bad_input);
    require(lockstep::is_valid_utf8(error.what()));
  }
}

void check(const Clause& clause) {
  const auto* text = std::get_if<std::string>(&clause.value);
  const auto* list = std::get_if<std::vector<std::string>>(&clause.value);
  switch (clause.comparison) {
    case Comparison::in:
    case Comparison::not_in:
      require(list != nullptr && !list->empty() && list->size() <= longest_list);
      for (const auto& each : *list) require(lockstep::is_valid_utf8(each));
      break;
    case Comparison::like:
    case Comparison::ilike:
      require(text != nullptr);
      break;
    case Comparison::is_null:
    case Comparison::is_not_null:
      require(text != nullptr && text->empty());
      break;
    default:
      require(list == nullptr);
  }
  if (clause.field == Field::metric) require(std::holds_alternative<double>(clause.value));
  if (text != nullptr) require(lockstep::is_valid_utf8(*text));
  require(lockstep::is_valid_utf8(clause.key));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const Kind kind :
       {Kind::runs, Kind::experiments, Kind::registered_models, Kind::model_versions, Kind::logged_models}) {
    expect_bad_input_or_nothing([&] {
      const auto clauses = parse_filter(kind, text);
      require(clauses.size() <= most_clauses);
      for (const Clause& each : clauses) check(each);
    });
    expect_bad_input_or_nothing([&] {
      const auto order = parse_order_by(kind, {text});
      require(order.size() == 1 && lockstep::is_valid_utf8(order[0].key));
    });
  }
  return 0;
}
