#include "history/sink/report/report_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "common/error.hpp"
#include "common/run_folder.hpp"

namespace lockstep::history::report {

using nlohmann::json;

std::string new_report_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

fs::path journal_file(const fs::path& folder, int rank) { return folder / RunFolder(".").journal(rank).filename(); }

bool is_complete(const fs::path& folder, const Report& report) {
  if (report.state != "RUNNING" && !report.state_is_sent) return false;
  return std::all_of(report.journals.begin(), report.journals.end(), [&](const auto& journal) {
    const auto& [rank, share] = journal;
    return share.sent.sequence >= share.end.value_or(next_sequence_in(journal_file(folder, rank)));
  });
}

static fs::path file_of(const fs::path& folder, int number) { return folder / fmt::format("report-{}.json", number); }

static std::optional<int> number_of(const std::string& file, std::string_view before, std::string_view after) {
  if (!file.starts_with(before) || !file.ends_with(after)) return std::nullopt;
  int number = 0;
  const char* const end = file.data() + file.size() - after.size();
  const auto [stopped, error] = std::from_chars(file.data() + before.size(), end, number);
  return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

std::vector<int> ranks_with_journals(const fs::path& folder) {
  std::vector<int> ranks;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto rank = number_of(entry.path().filename().string(), "rank-", ".jsonl");
    if (rank && entry.path() == journal_file(folder, *rank)) ranks.push_back(*rank);
  }
  return ranks;
}

void write_report(const fs::path& folder, int number, const Report& report) {
  json journals = json::object();
  for (const auto& [rank, share] : report.journals) {
    json& each = journals[std::to_string(rank)] = {{"sequence", share.sent.sequence}, {"item", share.sent.item}};
    if (share.end) each["end"] = *share.end;
  }
  const json text = {{"v", 1},
                     {"report_id", report.id},
                     {"tracking_uri", report.tracking_uri},
                     {"experiment_id", report.experiment_id},
                     {"experiment_name", report.experiment_name},
                     {"run_name", report.run_name},
                     {"run_id", report.run_id},
                     {"started_ms", report.started_ms},
                     {"state", report.state},
                     {"ended_ms", report.ended_ms},
                     {"state_is_sent", report.state_is_sent},
                     {"journals", journals}};
  write_file_durably(file_of(folder, number), text.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

static Report parse(const json& text) {
  if (text.at("v") != 1) throw failure("it is of a newer version of lockstep");
  Report report;
  for (const auto& [name, member] : {std::pair{"report_id", &Report::id},
                                     {"tracking_uri", &Report::tracking_uri},
                                     {"experiment_id", &Report::experiment_id},
                                     {"experiment_name", &Report::experiment_name},
                                     {"run_name", &Report::run_name},
                                     {"run_id", &Report::run_id},
                                     {"state", &Report::state}}) {
    report.*member = text.at(name).get<std::string>();
  }
  report.started_ms = text.at("started_ms");
  report.ended_ms = text.at("ended_ms");
  report.state_is_sent = text.at("state_is_sent");
  for (const auto& [rank, each] : text.at("journals").items()) {
    JournalShare& share = report.journals[std::stoi(rank)];
    share.sent = {each.at("sequence"), each.at("item")};
    if (each.contains("end")) share.end = each.at("end").get<std::int64_t>();
  }
  return report;
}

std::map<int, Report> read_reports(const fs::path& folder) {
  std::map<int, Report> reports;
  std::error_code none;  // where there is no folder there are no reports
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const auto number = number_of(entry.path().filename().string(), "report-", ".json");
    if (!number) continue;
    try {
      reports[*number] = parse(json::parse(read_file(entry.path())));
    } catch (const std::exception& error) {
      throw failure("{} can't be read: {}", entry.path().string(), error.what());
    }
  }
  return reports;
}

}  // namespace lockstep::history::report
