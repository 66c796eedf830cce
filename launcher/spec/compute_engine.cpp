// `engine`: how the machines of a compute are reached.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "common/host_list.hpp"
#include "common/process.hpp"
#include "launcher/spec/compute_keys.hpp"
#include "launcher/spec/key_checks.hpp"
#include "launcher/spec/quoted.hpp"

namespace lockstep::spec {

namespace {

constexpr std::size_t most_hosts = 1024;

std::string_view check_engine(std::string_view text) {
  return text == "hosts" || text == "slurm" ? "" : "hosts or slurm";
}

std::string_view check_host_key_checking(std::string_view text) {
  return text == "yes" || text == "accept-new" || text == "no" ? "" : "yes, accept-new or no";
}

// Commands for shells on other machines have it in them.
std::string_view check_scratch(std::string_view text) {
  constexpr std::string_view good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+";
  const bool is_good =
      text.starts_with('/') && text.size() <= 1024 && text.find_first_not_of('/') != std::string_view::npos &&
      text.find_first_not_of(good) == std::string_view::npos && fs::path(text).lexically_normal() == fs::path(text);
  return is_good ? "" : "an absolute path of letters, digits, '.', '_', '-' and '+', without '..'";
}

std::string_view check_host_list(std::string_view text) {
  constexpr std::string_view good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[],";
  return text.find_first_not_of(good) == std::string_view::npos && text.size() <= 16384
             ? ""
             : "hosts' names or addresses, or a list as in node-[1-3]";
}

class HostsReader {
 public:
  HostsReader(std::vector<Host>& hosts, Mistakes& mistakes) : hosts_(hosts), mistakes_(mistakes) {}

  void read(Keys& engine) {
    const YamlNode* const hosts = engine.find("hosts");
    if (hosts == nullptr) {
      engine.miss("hosts");
    } else if (hosts->is_scalar()) {
      read_list(engine, *hosts);
    } else if (!hosts->is_list()) {
      engine.expect(*hosts, "engine.hosts", "a list of names and mappings");
    } else if (hosts->items.empty()) {
      mistakes_.add(hosts->mark, "engine.hosts is empty");
    } else {
      for (const YamlNode& item : hosts->items) {
        if (hosts_.size() <= most_hosts) read_item(engine, item);
      }
    }
    if (hosts_.size() > most_hosts)
      mistakes_.add(hosts->mark, fmt::format("engine.hosts has more than {} hosts", most_hosts));
  }

 private:
  void read_item(Keys& engine, const YamlNode& item) {
    if (item.is_scalar()) return read_list(engine, item);
    if (!item.is_mapping()) return engine.expect(item, "engine.hosts", "a list of names and mappings");
    Host host;
    Keys::read_mapping(item, "engine.hosts", mistakes_, [&](Keys& keys) {
      keys.required("address", host.address, check_host);
      host.name = host.address;
      keys.optional("name", host.name, check_host);
      keys.optional("slots", host.slots, Range{1, 65536});
    });
    const YamlNode* const name = item.find("name");
    if (!host.name.empty()) add(name != nullptr ? *name : item, std::move(host));
  }

  void read_list(Keys& engine, const YamlNode& text) {
    if (const auto wanted = check_host_list(text.text); !wanted.empty())
      return engine.expect(text, "engine.hosts", wanted);
    std::vector<std::string> names;
    try {
      names = expand_host_list(text.text, most_hosts);
    } catch (const Error& e) {
      return mistakes_.add(text.mark, fmt::format("engine.hosts: {}", e.what()));
    }
    if (names.empty()) return engine.expect(text, "engine.hosts", check_host(""));
    for (const std::string& name : names) {
      if (const auto wanted = check_host(name); !wanted.empty()) {
        mistakes_.add(text.mark, fmt::format("engine.hosts must be {}, not {}", wanted, in_quotes(name)));
      } else {
        add(text, {name, name});
      }
    }
  }

  void add(const YamlNode& place, Host host) {
    if (!names_.insert(host.name).second)
      mistakes_.add(place.mark, fmt::format("engine.hosts has {} twice", in_quotes(host.name)));
    hosts_.push_back(std::move(host));
  }

  std::vector<Host>& hosts_;
  Mistakes& mistakes_;
  std::set<std::string> names_;
};

void read_ssh(Keys& keys, ComputeDraft& draft, SshAccess& ssh) {
  keys.optional("user", ssh.user, check_user_name);
  keys.optional("port", ssh.port, Range{1, 65535});
  read_path(keys, "identity_file", draft, ssh.identity_file);
  read_path(keys, "config_file", draft, ssh.config_file);
  keys.optional("strict_host_key_checking", ssh.strict_host_key_checking, check_host_key_checking);
}

// Names of Slurm's: they become arguments of its commands.
std::string_view check_slurm_name(std::string_view text) {
  constexpr std::string_view good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-,|&*[]()=@";
  const bool is_good = !text.empty() && text.size() <= 255 && text.find_first_not_of(good) == std::string_view::npos;
  return is_good ? "" : "a name of Slurm's";
}

std::string_view check_license(std::string_view text) {
  constexpr std::string_view good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@";
  const bool is_good = !text.empty() && text.size() <= 255 && text.find_first_not_of(good) == std::string_view::npos &&
                       std::string_view("_.-@").find(text[0]) == std::string_view::npos;
  return is_good ? "" : "the name of a license of Slurm's, without a count";
}

// Slurm's commands take the option once, and know it by its first letters, too.
void read_license(Keys& engine, SlurmEngine& slurm) {
  if (!engine.optional("license", slurm.license, check_license)) return;
  const bool asks_itself = std::any_of(slurm.options.begin(), slurm.options.end(),
                                       [](const std::string& each) { return each.starts_with("--lic"); });
  if (asks_itself) engine.refuse("license", "engine.options has --licenses, too: say one of them");
}

void read_options(Keys& keys, std::vector<std::string>& options) {
  const YamlNode* const list = keys.find("options");
  if (list == nullptr) return;
  const auto expect = [&](const YamlNode& node) {
    keys.expect(node, "engine.options", "a list of sbatch's options, each as in --gres=gpu:4");
  };
  if (!list->is_list()) return expect(*list);
  for (const YamlNode& each : list->items) {
    const bool is_good = each.is_scalar() && each.text.starts_with("--") && check_short_line(each.text).empty();
    if (!is_good) return expect(each);
    options.push_back(each.text);
  }
}

// Each user of a host has one of their own.
fs::path usual_scratch(const std::string& given_user) {
  std::string user = given_user.empty() ? user_name() : given_user;
  if (!check_user_name(user).empty()) user = std::to_string(::geteuid());
  return "/var/tmp/lockstep-" + user;
}

void read_slurm(Keys& engine, ComputeDraft& draft) {
  SlurmEngine slurm;
  std::string scratch;
  read_path(engine, "config_file", draft, slurm.config_file);
  engine.optional("partition", slurm.partition, check_slurm_name);
  engine.optional("account", slurm.account, check_slurm_name);
  engine.optional("qos", slurm.qos, check_slurm_name);
  engine.optional("constraint", slurm.constraint, check_slurm_name);
  read_options(engine, slurm.options);
  read_license(engine, slurm);
  read_scaling(engine, draft.compute, slurm);
  engine.optional("shared_files", slurm.shared_files);
  slurm.scratch = engine.optional("scratch", scratch, check_scratch) ? fs::path(scratch) : usual_scratch("");
  draft.compute.slurm = slurm;
}

}  // namespace

void read_engine(Keys& keys, ComputeDraft& draft) {
  keys.mapping("engine", [&](Keys& engine) {
    std::string type;
    engine.required("type", type, check_engine);
    engine.optional("node_preparation", draft.compute.node_preparation, check_command);
    engine.optional("node_preparation_timeout", draft.compute.node_preparation_timeout_s, Range{1, 24 * 3600});
    engine.optional("network_check", draft.compute.network_check);
    if (type == "slurm") return read_slurm(engine, draft);
    HostsEngine hosts;
    std::string scratch;
    HostsReader(hosts.hosts, engine.mistakes()).read(engine);
    engine.mapping("ssh", [&](Keys& ssh) { read_ssh(ssh, draft, hosts.ssh); });
    engine.optional("shared_files", hosts.shared_files);
    hosts.scratch =
        engine.optional("scratch", scratch, check_scratch) ? fs::path(scratch) : usual_scratch(hosts.ssh.user);
    draft.compute.hosts = hosts;
  });
}

}  // namespace lockstep::spec
