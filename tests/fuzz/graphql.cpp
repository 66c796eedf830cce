// Any bytes as a GraphQL document, with variables: either bad_input, or an operation within the limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/error.hpp"
#include "common/utf8.hpp"
#include "history/server/mlflow/graphql_document.hpp"

namespace {

using namespace lockstep::history::server::mlflow;

void require(bool fact) {
  if (!fact) std::abort();
}

int fields_of(const std::vector<GraphqlField>& fields, int depth) {
  require(depth <= 10);
  int all = 0;
  for (const GraphqlField& each : fields) {
    require(!each.name.empty() && !each.alias.empty() && each.arguments.is_object());
    all += 1 + fields_of(each.fields, depth + 1);
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const GraphqlOperation operation = parse_graphql(text, "", {{"data", {{"runId", "r"}}}, {"n", 3}});
    require(!operation.fields.empty() && operation.fields.size() <= 10);
    require(fields_of(operation.fields, 1) <= 1000);
  } catch (const lockstep::Error& error) {
    require(error.code() == lockstep::ExitCode::bad_input);
    require(lockstep::is_valid_utf8(error.what()));
  }
  return 0;
}
