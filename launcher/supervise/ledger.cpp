#include "launcher/supervise/ledger.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "common/error.hpp"

namespace lockstep::supervise {

namespace {
// slots.json under slots.lock: what all runs of this machine agree on. A reboot may clear it; kill -9 can't tear it.
struct Book {
  std::int64_t next_ticket = 0;
  std::vector<LedgerEntry> entries;  // in order of ticket
};

nlohmann::json to_json(const Cores& cores) {
  return {{"compute", cores.compute},
          {"family", cores.family},
          {"tier", spec::name_of(cores.tier)},
          {"count", cores.count},
          {"limit", cores.limit ? nlohmann::json(*cores.limit) : nlohmann::json()}};
}

Cores cores_from_json(const nlohmann::json& json) {
  Cores cores;
  json.at("compute").get_to(cores.compute);
  json.at("family").get_to(cores.family);
  cores.tier = spec::tier_named(json.at("tier").get<std::string>()).value_or(spec::Tier::dedicated);
  json.at("count").get_to(cores.count);
  if (const auto& limit = json.at("limit"); !limit.is_null()) cores.limit = limit.get<int>();
  return cores;
}

nlohmann::json to_json(const LedgerEntry& entry) {
  nlohmann::json json = {{"ticket", entry.ticket}, {"run_id", entry.run_id},   {"workspace", entry.workspace},
                         {"slots", entry.slots},   {"running", entry.running}, {"first_port", entry.first_port},
                         {"ports", entry.ports},   {"pid", entry.owner.pid},   {"start_time", entry.owner.start_time},
                         {"nodes", entry.nodes},   {"hosts", entry.hosts}};
  if (entry.cores.count > 0) json["cores"] = to_json(entry.cores);
  return json;
}

LedgerEntry from_json(const nlohmann::json& json) {
  LedgerEntry entry;
  json.at("ticket").get_to(entry.ticket);
  json.at("run_id").get_to(entry.run_id);
  json.at("workspace").get_to(entry.workspace);
  json.at("slots").get_to(entry.slots);
  json.at("running").get_to(entry.running);
  entry.first_port = json.value("first_port", 0);  // missing in a book of an older lockstep
  entry.ports = json.value("ports", 0);
  entry.nodes = json.value("nodes", 0);
  entry.hosts = json.value("hosts", std::vector<std::string>());
  if (json.contains("cores")) entry.cores = cores_from_json(json.at("cores"));
  json.at("pid").get_to(entry.owner.pid);
  json.at("start_time").get_to(entry.owner.start_time);
  return entry;
}

fs::path book_file(const fs::path& folder) { return folder / "slots.json"; }

Book read_book(const fs::path& folder) {
  Book book;
  const auto text = read_file_if_exists(book_file(folder));
  if (!text) return book;
  try {
    const auto json = nlohmann::json::parse(*text);
    json.at("next_ticket").get_to(book.next_ticket);
    for (const auto& each : json.at("entries")) book.entries.push_back(from_json(each));
  } catch (const nlohmann::json::exception& error) {
    throw failure("{}: not a ledger of slots ({}); remove it when no run is active", book_file(folder).string(),
                  error.what());
  }
  return book;
}

void write_book(const fs::path& folder, const Book& book) {
  nlohmann::json json{{"next_ticket", book.next_ticket}, {"entries", nlohmann::json::array()}};
  for (const auto& each : book.entries) json["entries"].push_back(to_json(each));
  write_file_atomically(book_file(folder), json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
                        0600);
}

// What was closed a moment ago does not count: whoever listens next may take it at once, too (SO_REUSEADDR).
bool nobody_listens_at(int port) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the interface of sockets
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
         ::listen(socket.get(), 1) == 0;
}

// The ledger as it is now, without the dead. Whatever `change` does to it is written before the lock goes.
template <class Change>
auto with_book(const fs::path& folder, const Change& change) {
  const FileLock lock = FileLock::take(folder / "slots.lock");
  Book book = read_book(folder);
  const auto swept = std::erase_if(book.entries, [](const LedgerEntry& each) { return !is_alive(each.owner); });
  bool changed = swept > 0;
  auto result = change(book, changed);
  if (changed) write_book(folder, book);
  return result;
}

// One port after the other; behind a port that is taken the search begins anew.
int free_ports(const Book& book, std::int64_t ticket, int count) {
  constexpr int first = 6105;
  constexpr int last = 32767;  // above it Linux takes ports for outgoing connections
  int free = 0;
  for (int port = first; port <= last; ++port) {
    const bool reserved = std::any_of(book.entries.begin(), book.entries.end(), [&](const LedgerEntry& each) {
      return each.ticket != ticket && port >= each.first_port && port < each.first_port + each.ports;
    });
    free = reserved || !nobody_listens_at(port) ? 0 : free + 1;
    if (free == count) return port - count + 1;
  }
  throw failure("no {} ports in a row are free between {} and {}", count, first, last);
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Of an entry's hosts those that no running run has, in their order.
std::vector<std::string> free_hosts(const Book& book, const LedgerEntry& mine) {
  std::vector<std::string> free = mine.hosts;
  for (const auto& each : book.entries) {
    if (!each.running || each.ticket == mine.ticket) continue;
    for (const auto& host : claimed(each)) std::erase(free, host);
  }
  return free;
}

// Its own come first from now on.
bool take_hosts(const std::vector<std::string>& free, LedgerEntry& mine) {
  if (static_cast<int>(free.size()) < mine.nodes) return false;
  std::vector<std::string> order(free.begin(), free.begin() + mine.nodes);
  for (const auto& each : mine.hosts) {
    if (!has(order, each)) order.push_back(each);
  }
  mine.hosts = std::move(order);
  return true;
}

// One that waits for cores takes no hosts as yet.
bool waits_for_hosts_before(std::span<const LedgerEntry> entries, const LedgerEntry& each, const LedgerEntry& mine) {
  return !each.running && each.ticket < mine.ticket && may_meet(each, mine) && !waits_for_cores(entries, each);
}

bool start_on_hosts(const Book& book, LedgerEntry& mine) {
  const bool is_next = std::none_of(book.entries.begin(), book.entries.end(), [&](const LedgerEntry& each) {
    return waits_for_hosts_before(book.entries, each, mine);
  });
  return is_next && take_hosts(free_hosts(book, mine), mine);
}

bool start_on_slots(const Book& book, const LedgerEntry& mine, int machine_slots) {
  int used = 0;
  for (const auto& each : book.entries) {
    if (!takes_slots(each)) continue;
    if (each.running) used += each.slots;
    if (!each.running && each.ticket < mine.ticket) return false;  // strict order: nobody overtakes
  }
  const bool fits = used + mine.slots <= machine_slots;
  const bool alone = used == 0;  // larger than the machine: it may run, but with nobody beside it
  return fits || alone;
}

bool start_now(const Book& book, LedgerEntry& mine, int machine_slots) {
  if (waits_for_cores(book.entries, mine)) return false;
  if (takes_slots(mine)) return start_on_slots(book, mine, machine_slots);
  return mine.hosts.empty() || start_on_hosts(book, mine);
}

LedgerEntry& entry_of(Book& book, std::int64_t ticket) {
  const auto found = std::find_if(book.entries.begin(), book.entries.end(),
                                  [&](const LedgerEntry& each) { return each.ticket == ticket; });
  if (found == book.entries.end()) throw not_found("the ledger of slots has no ticket {}", ticket);
  return *found;
}
}  // namespace

std::span<const std::string> claimed(const LedgerEntry& entry) {
  const std::size_t own = entry.running ? static_cast<std::size_t>(std::max(0, entry.nodes)) : entry.hosts.size();
  return std::span(entry.hosts).first(std::min(own, entry.hosts.size()));
}

bool takes_slots(const LedgerEntry& entry) { return entry.slots > 0; }

bool may_meet(const LedgerEntry& a, const LedgerEntry& b) {
  return std::any_of(a.hosts.begin(), a.hosts.end(), [&](const std::string& host) { return has(b.hosts, host); });
}

Ledger::Ledger(fs::path folder, int machine_slots) : folder_(std::move(folder)), machine_slots_(machine_slots) {
  try {
    make_own_folder(folder_);  // whoever makes it decides who runs
  } catch (const Error& error) {
    throw failure("{}; set LOCKSTEP_RUNTIME_DIR to a folder of yours", error.what());
  }
}

std::int64_t Ledger::enter(const std::string& run_id, const std::string& workspace, int slots, ProcessId owner) {
  return with_book(folder_, [&](Book& book, bool& changed) {
    changed = true;
    const std::int64_t ticket = book.next_ticket++;
    book.entries.push_back(
        {.ticket = ticket, .run_id = run_id, .workspace = workspace, .slots = slots, .owner = owner});
    return ticket;
  });
}

std::int64_t Ledger::enter_for_hosts(const std::string& run_id, const std::string& workspace,
                                     const std::vector<std::string>& hosts, int nodes, ProcessId owner,
                                     const Cores& cores) {
  if (nodes < 1 || static_cast<int>(hosts.size()) < nodes) throw failure("{} of {} hosts", nodes, hosts.size());
  return with_book(folder_, [&](Book& book, bool& changed) {
    changed = true;
    const std::int64_t ticket = book.next_ticket++;
    book.entries.push_back({.ticket = ticket,
                            .run_id = run_id,
                            .workspace = workspace,
                            .owner = owner,
                            .nodes = nodes,
                            .hosts = hosts,
                            .cores = cores});
    return ticket;
  });
}

std::int64_t Ledger::enter_for_cores(const std::string& run_id, const std::string& workspace, const Cores& cores,
                                     ProcessId owner) {
  return with_book(folder_, [&](Book& book, bool& changed) {
    changed = true;
    const std::int64_t ticket = book.next_ticket++;
    book.entries.push_back(
        {.ticket = ticket, .run_id = run_id, .workspace = workspace, .owner = owner, .cores = cores});
    return ticket;
  });
}

void Ledger::limit_cores(std::int64_t ticket, std::optional<int> limit) {
  with_book(folder_, [&](Book& book, bool& changed) {
    LedgerEntry& mine = entry_of(book, ticket);
    changed = changed || mine.cores.limit != limit;
    mine.cores.limit = limit;
    return true;
  });
}

bool Ledger::try_start(std::int64_t ticket) {
  return with_book(folder_, [&](Book& book, bool& changed) {
    LedgerEntry& mine = entry_of(book, ticket);
    if (mine.running) return true;
    mine.running = start_now(book, mine, machine_slots_);
    changed = changed || mine.running;
    return mine.running;
  });
}

std::vector<std::string> Ledger::hosts_of(std::int64_t ticket) {
  return with_book(folder_, [&](Book& book, bool&) {
    const auto own = claimed(entry_of(book, ticket));
    return std::vector<std::string>(own.begin(), own.end());
  });
}

int Ledger::exchange(std::int64_t ticket, const std::vector<std::string>& bad, int wanted, int least) {
  return with_book(folder_, [&](Book& book, bool& changed) {
    LedgerEntry& mine = entry_of(book, ticket);
    std::vector<std::string> free = free_hosts(book, mine);
    std::erase_if(free, [&](const std::string& host) { return has(bad, host); });
    const int count = std::min(wanted, static_cast<int>(free.size()));
    if (count < least) return 0;
    mine.nodes = count;
    changed = take_hosts(free, mine) || changed;
    return count;
  });
}

int Ledger::reserve_ports(std::int64_t ticket, int count) {
  return with_book(folder_, [&](Book& book, bool& changed) {
    LedgerEntry& mine = entry_of(book, ticket);
    if (mine.ports == count) return mine.first_port;
    mine.first_port = free_ports(book, ticket, count);
    mine.ports = count;
    changed = true;
    return mine.first_port;
  });
}

int Ledger::position(std::int64_t ticket) {
  return with_book(folder_, [&](Book& book, bool&) {
    const LedgerEntry& mine = entry_of(book, ticket);
    return static_cast<int>(std::count_if(book.entries.begin(), book.entries.end(), [&](const LedgerEntry& each) {
      const bool for_slots = !each.running && each.ticket < ticket && takes_slots(each) && takes_slots(mine);
      return for_slots || waits_for_hosts_before(book.entries, each, mine);
    }));
  });
}

void Ledger::leave(std::int64_t ticket) {
  with_book(folder_, [&](Book& book, bool& changed) {
    const auto left = std::erase_if(book.entries, [&](const LedgerEntry& each) { return each.ticket == ticket; });
    changed = changed || left > 0;
    return left;
  });
}

std::vector<LedgerEntry> Ledger::entries() {
  return with_book(folder_, [](const Book& book, bool&) { return book.entries; });
}

}  // namespace lockstep::supervise
