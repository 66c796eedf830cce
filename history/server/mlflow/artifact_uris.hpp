// Artifact URIs that this server answers for, and where they lead.
#pragma once

#include <string>

namespace lockstep::history::server::mlflow {

// The path below mlflow-artifacts:/ of a URI that is served here: mlflow-artifacts:/<path>, with or without a host, or
// the http address of the same. Throws NOT_IMPLEMENTED for any other: its files lie where only the client can go.
std::string path_of_artifact_uri(const std::string& uri);

std::string without_slash_after(std::string path_or_uri);

}  // namespace lockstep::history::server::mlflow
