#include <climits>

#include "launcher/spec/key_checks.hpp"
#include "launcher/spec/key_rows.hpp"

namespace lockstep::spec {

namespace {

const std::vector<Word>& distribution_words() {
  static const auto words = words_of(DistributionType::mpi, DistributionType::horovod);
  return words;
}
const std::vector<Word>& identity_words() {
  static const std::vector<Word> words = {word("user_identity"),
                                          word("managed"),
                                          word("aml_token"),
                                          {"managed_identity", "managed"},
                                          {"useridentity", "user_identity"},
                                          {"amltoken", "aml_token"},
                                          {"managedidentity", "managed"}};
  return words;
}

}  // namespace

std::vector<KeyRow> machine_rows() {
  return {
      {"distribution", mapping, "none: one process", "how many processes run the command, and how they meet"},
      {.path = "distribution.type",
       .accepts = choice,
       .fallback = "",
       .help = "how the processes find each other; horovod is mpi",
       .store = [](J& j, N,
                   V v) { j.distribution.type = from_words(distribution_words(), v.text, DistributionType::mpi); },
       .required = true,
       .words = distribution_words()},
      {.path = "distribution.process_count_per_instance",
       .accepts = integer,
       .fallback = "1",
       .help = "ranks on each node (mpi, pytorch, horovod)",
       .store = [](J& j, N, V v) { j.distribution.process_count_per_instance = to_int(v); },
       .minimum = 1,
       .maximum = INT_MAX},
      {.path = "distribution.worker_count",
       .accepts = integer,
       .fallback = "resources.instance_count",
       .help = "workers (tensorflow)",
       .store = [](J& j, N, V v) { j.distribution.worker_count = to_int(v); },
       .minimum = 1,
       .maximum = INT_MAX},
      {.path = "distribution.parameter_server_count",
       .accepts = integer,
       .fallback = "0",
       .help = "parameter servers (tensorflow)",
       .store = [](J& j, N, V v) { j.distribution.parameter_server_count = to_int(v); },
       .minimum = 0,
       .maximum = INT_MAX},
      {"resources", mapping, "", "the machines that the job needs"},
      {.path = "resources.instance_count",
       .accepts = integer,
       .fallback = "1",
       .help = "nodes",
       .store = [](J& j, N, V v) { j.resources.instance_count = to_int(v); },
       .minimum = 1,
       .maximum = INT_MAX},
      {"resources.instance_type", text, "", "the VM size; recorded",
       [](J& j, N, V v) { j.resources.instance_type = v.text; }},
      {.path = "resources.shm_size",
       .fallback = "2g",
       .help = "shared memory of the container: number and b, k, m or g",
       .store = [](J& j, N, V v) { j.resources.shm_size = v.text; },
       .check = check_memory_size},
      {"resources.docker_args", text, "", "more arguments for `docker run`; recorded",
       [](J& j, N, V v) { j.resources.docker_args = v.text; }},
      {"resources.properties", mapping, "", "for the compute; recorded"},
      {.path = "resources.properties.*",
       .accepts = anything,
       .fallback = "",
       .help = "nested values are kept as JSON",
       .store = [](J& j, N n, V v) { j.resources.properties[n] = text_or_json(v); },
       .check = check_any_name},
      {"resources.locations", text_list, "", "regions where it may run; recorded",
       [](J& j, N, V v) {
         for (const auto& item : v.items) j.resources.locations.push_back(item.text);
       }},
      {.path = "resources.max_instance_count",
       .accepts = integer,
       .fallback = "",
       .help = "nodes at most; recorded",
       .store = [](J& j, N, V v) { j.resources.max_instance_count = to_int(v); },
       .minimum = 1,
       .maximum = INT_MAX},
      {"queue_settings", mapping, "", "who goes first"},
      {"queue_settings.job_tier",
       choice,
       "",
       "recorded",
       [](J& j, N, V v) { j.queue_job_tier = lower_case(v.text); },
       false,
       {word("spot"), word("basic"), word("standard"), word("premium")}},
      {"queue_settings.priority",
       choice,
       "",
       "recorded",
       [](J& j, N, V v) { j.queue_priority = lower_case(v.text); },
       false,
       {word("low"), word("medium"), word("high")}},
      {"identity", mapping, "", "as whom the job reaches its data; recorded"},
      {.path = "identity.type",
       .accepts = choice,
       .fallback = "",
       .help = "`managed_identity` means managed",
       .store =
           [](J& j, N, V v) {
             for (const Word& w : identity_words())
               if (equal_ignoring_case(w.word, v.text)) j.identity_type = w.meaning;
           },
       .required = true,
       .words = identity_words()},
      {"identity.client_id", text, "", "of a managed identity", [](J& j, N, V v) { j.identity["client_id"] = v.text; }},
      {"identity.object_id", text, "", "of a managed identity", [](J& j, N, V v) { j.identity["object_id"] = v.text; }},
      {"identity.msi_resource_id", text, "", "of a managed identity",
       [](J& j, N, V v) { j.identity["msi_resource_id"] = v.text; }},
      {"services", mapping, "", "what to reach a running job by; recorded"},
      {.path = "services.*",
       .accepts = mapping,
       .fallback = "",
       .help = "one service",
       .store = [](J& j, N n, V) { j.services[n]; },
       .check = check_any_name},
      {.path = "services.*.type",
       .accepts = choice,
       .fallback = "",
       .help = "what runs beside the job",
       .store = [](J& j, N n, V v) { j.services[n].type = lower_case(v.text); },
       .required = true,
       .words = {word("ssh"), word("jupyter_lab"), word("tensor_board"), word("vs_code"), word("ray_dashboard"),
                 word("custom"), word("tracking"), word("studio")}},
      {.path = "services.*.port",
       .accepts = integer,
       .fallback = "",
       .help = "where it listens",
       .store = [](J& j, N n, V v) { j.services[n].port = to_int(v); },
       .minimum = 1,
       .maximum = 65535},
      {"services.*.nodes", text, "the first", "`all`: on every node",
       [](J& j, N n, V v) { j.services[n].nodes = v.text; }},
      {"services.*.log_dir", text, "", "what TensorBoard shows (tensor_board)",
       [](J& j, N n, V v) { j.services[n].log_dir = v.text; }},
      {"services.*.ssh_public_keys", text, "", "who may come in (ssh)",
       [](J& j, N n, V v) { j.services[n].ssh_public_keys = v.text; }},
      {"services.*.properties", mapping, "", "of the service; recorded",
       [](J& j, N n, V v) {
         for (const auto& [key, value] : v.entries) j.services[n].properties[key.text] = text_or_json(value);
       }},
      {.path = "services.*.properties.*",
       .accepts = anything,
       .fallback = "",
       .help = "nested values are kept as JSON"},
      {"services.*.endpoint", text, "", by_service},
      {"services.*.status", text, "", by_service},
      {"services.*.error_message", text | null, "", by_service},
  };
}

}  // namespace lockstep::spec
