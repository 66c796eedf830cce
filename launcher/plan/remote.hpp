// What is different in the plan of a run on hosts.
#pragma once

#include "launcher/plan/plan.hpp"

namespace lockstep::plan {

// Whether its nodes see no file of this machine: code and inputs are sent, and what the ranks write comes back.
bool sends_files(const Plan& plan);
RunFolder ranks_folder(const Plan& plan);  // the run's folder as its ranks see it

void go_to(const RemoteCompute& compute, const Surroundings& surroundings, Plan& plan);
void name_nodes(Plan& plan);                     // from plan.remote->hosts: nodes, mpirun's hosts, their addresses
bool is_more_than_hosts_have(const Plan& plan);  // slots, as far as the definition tells them
void send(const Plan& plan, InputStep& input, const fs::path& from);
void send_and_bring(Plan& plan);  // paths of inputs and outputs as the nodes have them

// Up to and without the program. As mpirun_argv(), for ranks that are reached by ssh.
std::vector<std::string> remote_mpirun_argv(const Plan& plan, const Environment& environment);
// The same mpirun for one process of `program` on each node, in a folder that is everywhere.
std::vector<std::string> mpirun_once_per_node(const Plan& plan, const std::string& program, int timeout_s);
std::vector<std::string> ranks_variables(const Plan& plan);  // those of plan.environment that they get
// By name, so that no value is an argument.
void export_variables(std::vector<std::string>& argv, const std::vector<std::string>& names);

}  // namespace lockstep::plan
