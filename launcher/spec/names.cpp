#include <array>

#include "launcher/spec/compute.hpp"
#include "launcher/spec/job.hpp"
#include "launcher/spec/scalar.hpp"

namespace lockstep::spec {

template <std::size_t count, class Enum>
static std::string_view word_at(const std::array<std::string_view, count>& words, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < count ? words[index] : "";
}

std::string_view name_of(AssetType type) {
  static constexpr std::array<std::string_view, 6> words = {"uri_file",     "uri_folder",   "mltable",
                                                            "mlflow_model", "custom_model", "triton_model"};
  return word_at(words, type);
}

std::string_view name_of(InputMode mode) {
  static constexpr std::array<std::string_view, 5> words = {"ro_mount", "download", "direct", "eval_mount",
                                                            "eval_download"};
  return word_at(words, mode);
}

std::string_view name_of(OutputMode mode) {
  static constexpr std::array<std::string_view, 3> words = {"rw_mount", "upload", "direct"};
  return word_at(words, mode);
}

std::string_view name_of(DistributionType type) {
  static constexpr std::array<std::string_view, 5> words = {"none", "mpi", "pytorch", "tensorflow", "horovod"};
  return word_at(words, type);
}

std::string_view name_of(ComputeType type) {
  static constexpr std::array<std::string_view, 3> words = {"amlcompute", "virtualmachine", "computeinstance"};
  return word_at(words, type);
}

std::string_view name_of(Tier tier) {
  static constexpr std::array<std::string_view, 2> words = {"dedicated", "low_priority"};
  return word_at(words, tier);
}

std::optional<Tier> tier_named(std::string_view text) {
  if (equal_ignoring_case(text, "dedicated")) return Tier::dedicated;
  if (equal_ignoring_case(text, "low_priority") || equal_ignoring_case(text, "lowpriority")) return Tier::low_priority;
  return std::nullopt;
}

bool EnvironmentSpec::empty() const { return *this == EnvironmentSpec{}; }

}  // namespace lockstep::spec
