// Queries in GraphQL (spec.graphql.org, October 2021, section 2), as far as MLflow's web pages use it: operations with
// variables, fields with aliases and arguments. Directives are read and have no effect; fragments are refused.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::history::server::mlflow {

struct GraphqlField {
  std::string alias;  // by which the answer has it; without one in the query: the name
  std::string name;
  nlohmann::json arguments = nlohmann::json::object();  // variables are filled in; one that was not given is null
  std::vector<GraphqlField> fields;                     // that are asked for of its value; empty: it is a scalar
};

struct GraphqlOperation {
  std::string name;
  bool is_mutation = false;
  std::vector<GraphqlField> fields;
};

// The operation of that name; "": the only one. Throws bad_input for what is no such document, and for more than
// MLflow takes: 10 levels, 1,000 fields, 10 fields at the root and 10 aliases of a level.
GraphqlOperation parse_graphql(std::string_view document, const std::string& operation,
                               const nlohmann::json& variables);

}  // namespace lockstep::history::server::mlflow
