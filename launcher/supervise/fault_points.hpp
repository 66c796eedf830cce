// Every moment between two durable steps of submitting, supervising and keeping a run, by name. A kill test dies at
// each of them (common/fault.hpp) and shows that the run still ends, with its reason, and that nothing is lost.
#pragma once

namespace lockstep::supervise {

enum class FaultScene {
  plain,      // passed by every run
  hosts,      // only of a run on other machines
  slurm,      // only of a run in a cluster
  restarted,  // only of a run that begins again
  preempted,  // only of a run whose nodes are taken away
  prepared,   // only of a job with a preparation
  queued,     // only when a run has to wait for slots
  stopped,    // only when a run is asked to end
  orphaned,   // only in a keeper whose supervisor was killed
  bereaved,   // only in a supervisor whose keeper was killed
  abandoned   // only in a command that closes what others left
};

struct FaultPoint {
  const char* name;
  FaultScene scene;
};

inline constexpr FaultPoint fault_points[] = {
    {"submit.after_folder", FaultScene::plain},
    {"submit.after_job_file", FaultScene::plain},
    {"submit.after_plan_file", FaultScene::plain},
    {"submit.after_row", FaultScene::plain},
    {"supervisor.before_keeper", FaultScene::plain},
    {"supervisor.after_keeper", FaultScene::plain},
    {"supervisor.after_ownership", FaultScene::plain},
    {"supervisor.after_ticket", FaultScene::plain},
    {"supervisor.after_queued", FaultScene::queued},
    {"supervisor.after_slots", FaultScene::plain},
    {"supervisor.after_preparing", FaultScene::plain},
    {"supervisor.after_prepare", FaultScene::plain},
    {"supervisor.after_records", FaultScene::plain},
    {"supervisor.while_asking", FaultScene::slurm},
    {"supervisor.after_asking", FaultScene::slurm},
    {"supervisor.after_allocation", FaultScene::slurm},
    {"supervisor.during_network_check", FaultScene::hosts},
    {"supervisor.after_hosts", FaultScene::hosts},
    {"supervisor.after_send", FaultScene::hosts},
    {"supervisor.after_agents", FaultScene::hosts},
    {"supervisor.after_start", FaultScene::plain},
    {"supervisor.after_preparation", FaultScene::prepared},
    {"supervisor.after_started", FaultScene::plain},
    {"supervisor.after_running", FaultScene::plain},
    {"supervisor.after_begin", FaultScene::prepared},
    {"supervisor.after_journal_batch", FaultScene::plain},
    {"supervisor.after_stop", FaultScene::stopped},
    {"supervisor.keeper_gone", FaultScene::bereaved},
    {"supervisor.after_bereaved_sweep", FaultScene::bereaved},
    {"supervisor.after_bereaved_state_file", FaultScene::bereaved},
    {"supervisor.before_restart", FaultScene::restarted},
    {"supervisor.after_restart", FaultScene::restarted},
    {"supervisor.after_nodes_went", FaultScene::preempted},
    {"supervisor.after_ended", FaultScene::plain},
    {"supervisor.after_files", FaultScene::hosts},
    {"supervisor.after_finalizing", FaultScene::plain},
    {"supervisor.after_collect", FaultScene::plain},
    {"supervisor.after_journals", FaultScene::plain},
    {"supervisor.after_children", FaultScene::plain},
    {"supervisor.after_terminal", FaultScene::plain},
    {"keeper.begin", FaultScene::plain},
    {"keeper.before_program", FaultScene::plain},
    {"keeper.after_program", FaultScene::plain},
    {"keeper.after_started", FaultScene::plain},
    {"keeper.orphaned", FaultScene::orphaned},
    {"keeper.after_term", FaultScene::stopped},
    {"keeper.before_kill", FaultScene::stopped},
    {"keeper.program_ended", FaultScene::plain},
    {"keeper.after_sweep", FaultScene::plain},
    {"keeper.after_state_file", FaultScene::plain},
    {"keeper.after_ended", FaultScene::plain},
    {"abandoned.after_lock", FaultScene::abandoned},
    {"abandoned.after_sweep", FaultScene::abandoned},
    {"abandoned.after_journals", FaultScene::abandoned},
    {"abandoned.after_ownership", FaultScene::abandoned},
    {"abandoned.after_state_file", FaultScene::abandoned},
};

}  // namespace lockstep::supervise
