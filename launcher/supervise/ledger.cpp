#include "launcher/supervise/ledger.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/error.hpp"

namespace lockstep::supervise {

namespace {
// slots.json under slots.lock: what all runs of this machine agree on. A reboot may clear it; kill -9 can't tear it.
struct Book {
  std::int64_t next_ticket = 0;
  std::vector<LedgerEntry> entries;  // in order of ticket
};

nlohmann::json to_json(const LedgerEntry& entry) {
  return {{"ticket", entry.ticket}, {"run_id", entry.run_id},   {"workspace", entry.workspace},
          {"slots", entry.slots},   {"running", entry.running}, {"first_port", entry.first_port},
          {"ports", entry.ports},   {"pid", entry.owner.pid},   {"start_time", entry.owner.start_time}};
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

LedgerEntry& entry_of(Book& book, std::int64_t ticket) {
  const auto found = std::find_if(book.entries.begin(), book.entries.end(),
                                  [&](const LedgerEntry& each) { return each.ticket == ticket; });
  if (found == book.entries.end()) throw not_found("the ledger of slots has no ticket {}", ticket);
  return *found;
}
}  // namespace

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

bool Ledger::try_start(std::int64_t ticket) {
  return with_book(folder_, [&](Book& book, bool& changed) {
    LedgerEntry& mine = entry_of(book, ticket);
    if (mine.running) return true;
    int used = 0;
    for (const auto& each : book.entries) {
      if (each.running) used += each.slots;
      if (!each.running && each.ticket < ticket) return false;  // strict order: nobody overtakes
    }
    const bool fits = used + mine.slots <= machine_slots_;
    const bool alone = used == 0;  // larger than the machine: it may run, but with nobody beside it
    if (!fits && !alone) return false;
    changed = true;
    mine.running = true;
    return true;
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
    entry_of(book, ticket);
    return static_cast<int>(std::count_if(book.entries.begin(), book.entries.end(), [&](const LedgerEntry& each) {
      return !each.running && each.ticket < ticket;
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
