// The types of MLflow's GraphQL schema (mlflow/server/graphql of MLflow 3.17), and values of them out of the replies of
// the REST API, whose members have the same names in snake_case.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "history/server/mlflow/graphql_document.hpp"

namespace lockstep::history::server::mlflow {

// A query for what the schema does not have: nothing of the whole query is answered.
class GraphqlMistake : public Error {
 public:
  template <class... Args>
  explicit GraphqlMistake(fmt::format_string<Args...> format, Args&&... args)
      : Error(bad_input(format, std::forward<Args>(args)...)) {}
};

// What the REST API does not have in it: `name` of a value of `type`, as the REST API would have it.
using GraphqlExtension =
    std::function<nlohmann::json(const std::string& type, const std::string& name, const nlohmann::json& value)>;

// The fields that are asked for of a value of a type. As MLflow has it: numbers of 64 bits are texts, a value that is
// not finite is null, and what the REST API left out is "", "0", 0, false or an empty list. Throws GraphqlMistake.
nlohmann::json graphql_object(const std::string& type, const nlohmann::json& value,
                              const std::vector<GraphqlField>& fields, const GraphqlExtension& extension);

std::string snake_case(std::string_view camel_case);

}  // namespace lockstep::history::server::mlflow
