// What a text or a name of a job file must look like. Each returns "" when it does, else what is expected.
#pragma once

#include <string_view>

namespace lockstep::spec {

std::string_view check_job_name(std::string_view text);       // ^[a-zA-Z0-9][\w\-]{0,254}$, as Azure ML has it
std::string_view check_identifier(std::string_view text);     // of inputs and outputs
std::string_view check_variable_name(std::string_view text);  // of the environment
std::string_view check_compute(std::string_view text);        // a name or an ARM id, with or without azureml:
std::string_view check_compute_name(std::string_view text);   // Azure's rule, and not local
std::string_view check_host(std::string_view text);       // a name or an address: ssh and mpirun get it as an argument
std::string_view check_user_name(std::string_view text);  // of ssh
std::string_view check_command(std::string_view text);    // a word of `sh -c`
std::string_view check_any_name(std::string_view text);
std::string_view check_short_line(std::string_view text);
std::string_view check_memory_size(std::string_view text);  // "<n>[bkmg]"

}  // namespace lockstep::spec
