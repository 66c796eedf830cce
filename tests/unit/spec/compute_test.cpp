// Computes: what their files say, every mistake with its place, and that what is kept reads back the same.
#include "launcher/spec/compute.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "common/error.hpp"
#include "common/process.hpp"
#include "launcher/spec/compute_keys.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/write_text.hpp"
#include "tests/unit/spec/compute_reading.hpp"

namespace lockstep::spec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> names_of(const std::vector<Host>& hosts) {
  std::vector<std::string> names;
  for (const Host& each : hosts) names.push_back(each.name);
  return names;
}

HostsEngine engine_of(const Compute& compute) { return compute.hosts.value_or(HostsEngine{}); }

TEST(ReadCompute, ReadsACluster) {
  const Compute compute = definition_of(R"(
$schema: https://azuremlschemas.azureedge.net/latest/amlCompute.schema.json
name: low-pri-example
type: amlcompute
size: STANDARD_DS3_v2
location: westus
description: |
  A cluster
  for nights
tags: {team: vision, cost: 12, empty: null}
min_instances: 0
max_instances: 4
idle_time_before_scale_down: 180
tier: low_priority
identity:
  type: user_assigned
  user_assigned_identities:
    - resource_id: /subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i
network_settings: {vnet_name: net, subnet: default}
ssh_public_access_enabled: true
enable_node_public_ip: false
)")
                              .compute;
  EXPECT_EQ(compute.name, "low-pri-example");
  EXPECT_EQ(compute.type, ComputeType::amlcompute);
  EXPECT_EQ(compute.size, "Standard_DS3_v2");
  EXPECT_EQ(compute.location, "westus");
  EXPECT_EQ(compute.description, "A cluster\nfor nights\n");
  EXPECT_EQ(compute.tags, (std::map<std::string, std::string>{{"team", "vision"}, {"cost", "12"}, {"empty", ""}}));
  EXPECT_EQ(compute.min_instances, 0);
  EXPECT_EQ(compute.max_instances, 4);
  EXPECT_EQ(compute.idle_time_before_scale_down, 180);
  EXPECT_EQ(compute.tier, Tier::low_priority);
  EXPECT_EQ(compute.hosts, std::nullopt);
  EXPECT_THAT(compute.recorded,
              ElementsAre("identity", "network_settings", "ssh_public_access_enabled", "enable_node_public_ip"));
}

TEST(ReadCompute, ReadsAVirtualMachineAndMasksItsPassword) {
  const ReadCompute read_machine = definition_of(R"(
$schema: https://azuremlschemas.azureedge.net/latest/vmCompute.schema.json
name: vm-example
type: virtualmachine
resource_id: /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm
ssh_settings:
  admin_username: azureuser
  admin_password: correct-horse
  ssh_port: 22
  ssh_private_key_file: ../keys/id_rsa
)");
  EXPECT_EQ(read_machine.compute.type, ComputeType::virtualmachine);
  EXPECT_THAT(read_machine.compute.recorded, ElementsAre("resource_id", "ssh_settings"));
  EXPECT_EQ(read_machine.yaml, R"($schema: https://azuremlschemas.azureedge.net/latest/vmCompute.schema.json
name: vm-example
type: virtualmachine
resource_id: /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm
ssh_settings:
  admin_username: azureuser
  admin_password: "********"
  ssh_port: 22
  ssh_private_key_file: /keys/id_rsa
)");
}

TEST(ReadCompute, ReadsAComputeInstance) {
  const ReadCompute instance = definition_of(R"(
$schema: https://azuremlschemas.azureedge.net/latest/computeInstance.schema.json
name: basic-ci-example
type: computeinstance
size: Standard_DS3_v2
idle_time_before_shutdown_minutes: 20
schedules:
  compute_start_stop:
    - action: stop
      trigger: {type: cron, expression: 0 18 * * *, start_time: '2024-01-31T00:00:00', time_zone: UTC}
setup_scripts:
  startup_script: {command: ./setup.sh, timeout: 20m}
custom_applications:
  - {name: notebook, type: docker, environment_variables: {API_TOKEN: tell-nobody, LANG: C}}
)");
  EXPECT_EQ(instance.compute.type, ComputeType::computeinstance);
  EXPECT_THAT(instance.compute.recorded,
              ElementsAre("idle_time_before_shutdown_minutes", "schedules", "setup_scripts", "custom_applications"));
  EXPECT_THAT(instance.yaml, HasSubstr("LANG: C\n"));
  EXPECT_THAT(instance.yaml, Not(HasSubstr("tell-nobody")));
}

TEST(ReadCompute, HasAzuresDefaults) {
  Compute wanted;
  wanted.name = "c1";
  EXPECT_EQ(definition_of("name: c1").compute, wanted);
}

TEST(ReadCompute, ReadsHosts) {
  const ReadCompute definition = definition_of(R"(
name: rack
engine:
  type: hosts
  hosts: [node-1, {address: 10.0.0.2, name: node-2, slots: 8}, 'gpu[08-10]', {address: 'fe80::1'}]
  ssh: {user: ada, port: 2222, identity_file: keys/rack, config_file: /etc/ssh/rack, strict_host_key_checking: no}
  shared_files: true
  scratch: /scratch/lockstep
)");
  HostsEngine wanted;
  wanted.hosts = {{"node-1", "node-1"}, {"node-2", "10.0.0.2", 8}, {"gpu08", "gpu08"},
                  {"gpu09", "gpu09"},   {"gpu10", "gpu10"},        {"fe80::1", "fe80::1"}};
  wanted.ssh = {"ada", 2222, "/files/keys/rack", "/etc/ssh/rack", "no"};
  wanted.shared_files = true;
  wanted.scratch = "/scratch/lockstep";
  EXPECT_EQ(definition.compute.hosts, wanted);
  EXPECT_THAT(definition.compute.recorded, IsEmpty());
  EXPECT_THAT(definition.yaml, HasSubstr("identity_file: /files/keys/rack\n"));
}

TEST(ReadCompute, ReadsHostsFromOneText) {
  const Compute compute = definition_of("{name: rack, engine: {type: hosts, hosts: 'n[1-2],head'}}").compute;
  EXPECT_THAT(names_of(engine_of(compute).hosts), ElementsAre("n1", "n2", "head"));
}

TEST(ReadCompute, HasAScratchFolderForEachUserOfTheHosts) {
  const auto scratch = [](const std::string& ssh) {
    return engine_of(definition_of("{name: rack, engine: {type: hosts, hosts: [n1], ssh: {" + ssh + "}}}").compute)
        .scratch;
  };
  EXPECT_EQ(scratch("user: ada"), "/var/tmp/lockstep-ada");
  EXPECT_EQ(scratch(""), "/var/tmp/lockstep-" + user_name());
}

TEST(ReadCompute, KnowsTheHomeFolder) {
  const char* const before = std::getenv("HOME");
  const std::string home = before == nullptr ? "" : before;
  const char* const text = "{name: rack, engine: {type: hosts, hosts: [n1], ssh: {identity_file: ~/.ssh/rack}}}";
  ::setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(engine_of(definition_of(text).compute).ssh.identity_file, "/home/ada/.ssh/rack");
  ::unsetenv("HOME");
  EXPECT_THAT(mistakes_in(text),
              ElementsAre("c.yml:1:70: engine.ssh.identity_file begins with ~, and HOME is not set"));
  if (before != nullptr) ::setenv("HOME", home.c_str(), 1);
}

TEST(ReadCompute, TakesTheWordsOfAzureInAnyCase) {
  const Compute compute = definition_of("{name: c1, type: AmlCompute, tier: LowPriority}").compute;
  EXPECT_EQ(compute.tier, Tier::low_priority);
  EXPECT_EQ(definition_of("{name: vm, type: VirtualMachine}").compute.type, ComputeType::virtualmachine);
}

TEST(ReadCompute, AppliesSets) {
  const ReadCompute definition = definition_of("name: c1\nmax_instances: 2\n",
                                               {"name=c2", "engine.type=hosts", "engine.hosts=n[1-3]", "tags.a=1"});
  EXPECT_EQ(definition.compute.name, "c2");
  EXPECT_EQ(engine_of(definition.compute).hosts.size(), 3U);
  EXPECT_THAT(definition.yaml, HasSubstr("name: c2\n"));
  EXPECT_THAT(mistakes_in("name: c1", {"tags.a=1", "max_instances=0"}),
              ElementsAre("--set:2:15: max_instances must be a whole number from 1 to 1000000, not '0'"));
}

TEST(ReadCompute, RefusesAllMistakesAtOnce) {
  EXPECT_THAT(
      mistakes_in(R"(nam: c1
type: cluster
size: Standard_NC6s_v33
description: [a]
tags: {'': 1, a: [2]}
location: ''
min_instances: -1
max_instances: many
idle_time_before_scale_down: 2h
tier: cheap
identity: {type: me, user_assigned_identities: [{resource: r}, r]}
network_settings: net
ssh_settings: {admin_usrnam: me, ssh_port: 0, admin_password: [secret]}
ssh_public_access_enabled: enabled
schedules: daily
sizes: 1
unheard_of_key: 1
)"),
      ElementsAre("c.yml:1:1: missing key 'name'", "c.yml:1:1: unknown key 'nam'; did you mean 'name'?",
                  "c.yml:2:7: type must be amlcompute, virtualmachine or computeinstance, not 'cluster'",
                  "c.yml:3:7: size 'Standard_NC6s_v33' is none of Azure's VM sizes; did you mean 'Standard_NC6s_v3'?",
                  "c.yml:4:14: description must be text, not a list",
                  "c.yml:5:8: '' is no name of a tag; expected a name of 1 to 255 bytes",
                  "c.yml:5:18: tags.a must be text, not a list",
                  "c.yml:6:11: location must be one line of 1 to 255 bytes, not ''",
                  "c.yml:7:16: min_instances must be a whole number from 0 to 1000000, not '-1'",
                  "c.yml:8:16: max_instances must be a whole number from 1 to 1000000, not 'many'",
                  "c.yml:9:30: idle_time_before_scale_down must be a whole number from 0 to 100000000, not '2h'",
                  "c.yml:10:7: tier must be dedicated or low_priority, not 'cheap'",
                  "c.yml:11:18: identity.type must be system_assigned, user_assigned or none, not 'me'",
                  "c.yml:11:50: unknown key 'resource' in identity.user_assigned_identities; known keys: resource_id, "
                  "client_id, principal_id",
                  "c.yml:11:64: identity.user_assigned_identities must be a mapping, not 'r'",
                  "c.yml:12:19: network_settings must be a mapping, not 'net'",
                  "c.yml:13:16: unknown key 'admin_usrnam' in ssh_settings; did you mean 'admin_username'?",
                  "c.yml:13:44: ssh_settings.ssh_port must be a whole number from 1 to 65535, not '0'",
                  "c.yml:13:63: ssh_settings.admin_password must be text that is not empty",
                  "c.yml:14:28: ssh_public_access_enabled must be true or false, not 'enabled'",
                  "c.yml:15:12: schedules must be a mapping or a list, not 'daily'",
                  "c.yml:16:1: unknown key 'sizes'; did you mean 'size'?", "c.yml:17:1: unknown key 'unheard_of_key'"));
}

TEST(ReadCompute, RefusesNamesThatAzureWould) {
  const std::string rule =
      "name must be 2 to 32 letters, digits and '-', of which the first is a letter and the last no '-'";
  for (const char* name : {"a", "1a", "a-", "a_b", "a.b", "..", "a/b", "ä1", "a123456789012345678901234567890123"}) {
    EXPECT_THAT(mistakes_in("name: " + std::string(name)),
                ElementsAre("c.yml:1:7: " + rule + ", not '" + std::string(name) + "'"));
  }
  EXPECT_THAT(mistakes_in("name: Local"),
              ElementsAre("c.yml:1:7: name must be another name: local is this machine, which needs no definition, not "
                          "'Local'"));
  const std::string too_long(25, 'a');
  for (const std::string& name : {std::string("ab"), too_long}) {
    EXPECT_EQ(definition_of("name: " + name).compute.name, name);
    EXPECT_THAT(
        mistakes_in("{type: computeinstance, name: " + name + "}"),
        ElementsAre("c.yml:1:31: name must be 3 to 24 characters long for a computeinstance, not '" + name + "'"));
  }
}

TEST(ReadCompute, RefusesKeysOfOtherTypes) {
  EXPECT_THAT(mistakes_in(R"(name: box
type: computeinstance
tier: dedicated
engine: {type: hosts, hosts: [n1]}
)"),
              ElementsAre("c.yml:3:1: 'tier' is a key of amlcompute, not of computeinstance",
                          "c.yml:4:1: 'engine' is a key of amlcompute and virtualmachine, not of computeinstance"));
  EXPECT_THAT(mistakes_in("{name: c1, schedules: {}}"),
              ElementsAre("c.yml:1:12: 'schedules' is a key of computeinstance, not of amlcompute"));
}

TEST(ReadCompute, NamesTheTypesThatAreNotRead) {
  EXPECT_THAT(mistakes_in("{type: Kubernetes, namespace: n}"),
              ElementsAre("c.yml:1:8: computes of type kubernetes are not read; machines that ssh reaches are an "
                          "amlcompute with an engine (docs/compute.md)"));
  EXPECT_THAT(mistakes_in("{type: synapsespark}"), ElementsAre(HasSubstr("synapsespark are not read")));
}

TEST(ReadCompute, RefusesMoreInstancesThanThereMayBe) {
  EXPECT_THAT(mistakes_in("{name: c1, min_instances: 3, max_instances: 2}"),
              ElementsAre("c.yml:1:45: max_instances is 2, which is less than min_instances, 3"));
  EXPECT_THAT(mistakes_in("{name: c1, min_instances: 2}"),
              ElementsAre("c.yml:1:27: min_instances is 2, which is more than max_instances, 1 unless it is said"));
  EXPECT_EQ(definition_of("{name: c1, min_instances: 2, engine: {type: hosts, hosts: 'n[1-2]'}}").compute.min_instances,
            2);
  EXPECT_THAT(mistakes_in("{name: c1, min_instances: 3, engine: {type: hosts, hosts: 'n[1-2]'}}"),
              ElementsAre("c.yml:1:27: min_instances is 3, which is more than max_instances, 2 unless it is said"));
}

TEST(ReadCompute, RefusesAnEngineWithAllItsMistakes) {
  const std::string host =
      "a host's name or address: letters, digits, '.', '-', '_' and ':', of which the first is no '-' or '.'";
  EXPECT_THAT(
      mistakes_in(R"(name: rack
engine:
  hosts:
    - -oProxyCommand=x
    - -x
    - n1
    - {name: n2}
    - {address: 10.0.0.1, name: a b, slots: 0, cores: 4}
    - n[1-2]
    - n[5-4]
    - {address: 10.0.0.9, name: n2}
    - [n7]
    - ','
  ssh: {user: -l root, port: 65536, identity_file: '', config_file: ~ada/x, strict_host_key_checking: true}
  shared_files: 1
  scratch: tmp
)"),
      ElementsAre(
          "c.yml:3:3: missing key 'type' in engine",
          "c.yml:4:7: engine.hosts must be hosts' names or addresses, or a list as in node-[1-3], not "
          "'-oProxyCommand=x'",
          "c.yml:5:7: engine.hosts must be " + host + ", not '-x'", "c.yml:7:7: missing key 'address' in engine.hosts",
          "c.yml:8:33: engine.hosts.name must be " + host + ", not 'a b'",
          "c.yml:8:45: engine.hosts.slots must be a whole number from 1 to 65536, not '0'",
          "c.yml:8:48: unknown key 'cores' in engine.hosts; known keys: address, name, slots",
          "c.yml:9:7: engine.hosts has 'n1' twice", "c.yml:9:7: engine.hosts has 'n2' twice",
          "c.yml:10:7: engine.hosts: 'n[5-4]' is no list of hosts: 4 is below 5",
          "c.yml:11:33: engine.hosts has 'n2' twice",
          "c.yml:12:7: engine.hosts must be a list of names and mappings, not a list",
          "c.yml:13:7: engine.hosts must be " + host + ", not ','",
          "c.yml:14:15: engine.ssh.user must be 1 to 64 letters, digits, '.', '-' and '_', of which the first is no "
          "'-', not '-l root'",
          "c.yml:14:30: engine.ssh.port must be a whole number from 1 to 65535, not '65536'",
          "c.yml:14:52: engine.ssh.identity_file must be a path of at most 4096 bytes in one line, not ''",
          "c.yml:14:69: engine.ssh.config_file must be a path; of ~ only ~/ is known, not '~ada/x'",
          "c.yml:14:103: engine.ssh.strict_host_key_checking must be yes, accept-new or no, not 'true'",
          "c.yml:15:17: engine.shared_files must be true or false, not '1'",
          "c.yml:16:12: engine.scratch must be an absolute path of letters, digits, '.', '_', '-' and '+', without "
          "'..', not 'tmp'"));
}

TEST(ReadCompute, RefusesAnEngineWithoutHosts) {
  EXPECT_THAT(mistakes_in("{name: c1, engine: {type: pbs}}"),
              ElementsAre("c.yml:1:20: missing key 'hosts' in engine",
                          "c.yml:1:27: engine.type must be hosts or slurm, not 'pbs'"));
  EXPECT_THAT(mistakes_in("{name: c1, engine: {type: hosts, hosts: []}}"),
              ElementsAre("c.yml:1:41: engine.hosts is empty"));
  EXPECT_THAT(mistakes_in("{name: c1, engine: hosts}"),
              ElementsAre("c.yml:1:20: engine must be a mapping, not 'hosts'"));
}

TEST(ReadCompute, TakesAtMost1024Hosts) {
  EXPECT_EQ(engine_of(definition_of("{name: c1, engine: {type: hosts, hosts: ['n[1-1024]']}}").compute).hosts.size(),
            1024U);
  EXPECT_THAT(mistakes_in("{name: c1, engine: {type: hosts, hosts: ['n[1-1025]']}}"),
              ElementsAre("c.yml:1:42: engine.hosts: more than 1024 hosts"));
  EXPECT_THAT(mistakes_in("{name: c1, engine: {type: hosts, hosts: ['n[1-1000]', 'm[1-1000]', 'l[1-1000]']}}"),
              ElementsAre("c.yml:1:41: engine.hosts has more than 1024 hosts"));
}

TEST(ReadCompute, RefusesScratchFoldersThatAShellCouldMistake) {
  for (const char* scratch : {"/tmp/a b", "/tmp/$USER", "/tmp/../etc", "/", "//", "/tmp/a;b", "~/x", "/tmp/'x'"}) {
    EXPECT_THAT(
        mistakes_in("{name: c1, engine: {type: hosts, hosts: [n1], scratch: \"" + std::string(scratch) + "\"}}"),
        ElementsAre(HasSubstr("engine.scratch must be an absolute path")))
        << scratch;
  }
}

TEST(ReadCompute, RefusesWhatIsNoMapping) {
  EXPECT_THAT(mistakes_in("- a"), ElementsAre("c.yml:1:1: a compute's file is a mapping of keys and values"));
  EXPECT_THAT(mistakes_in(""), ElementsAre("c.yml:1:1: the file is empty"));
  EXPECT_THAT(mistakes_in("{name: a1, name: b1}"), ElementsAre(HasSubstr("the key 'name' is here twice")));
}

TEST(ReadCompute, KeepsNothingThatCouldNotBeReadAgain) {
  const std::string deep = std::string(55, '[') + std::string(55, ']');
  EXPECT_THAT(mistakes_in("{name: ci1, type: computeinstance}", {"schedules.a.b.c.d.e.f.g.h.i.j.k.l=" + deep}),
              ElementsAre(HasSubstr("could not be read again")));
}

// The rows of docs/compute.md's first table: `key`, `key` | of | ...
std::map<std::string, std::string> types_on_the_page() {
  std::map<std::string, std::string> types;
  std::istringstream page(read_file(fs::path(LOCKSTEP_SOURCE_DIR) / "docs/compute.md"));
  for (std::string line; std::getline(page, line) && !line.starts_with("| key of `engine`");) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    if (cells.size() < 3 || !cells[1].starts_with(" `")) continue;
    const std::string& keys = cells[1];
    for (std::size_t open = keys.find('`'); open != std::string::npos;) {
      const std::size_t close = keys.find('`', open + 1);
      types[keys.substr(open + 1, close - open - 1)] = cells[2].substr(1, cells[2].size() - 2);
      open = keys.find('`', close + 1);
    }
  }
  return types;
}

TEST(ComputePage, ListsEveryKeyAndTheTypesThatHaveIt) {
  std::map<std::string, std::string> wanted = {
      {"name", "all"}, {"type", "all"}, {"engine", "amlcompute, virtualmachine"}};
  for (const ComputeKey& each : compute_keys()) {
    std::string& types = wanted[std::string(each.key)];
    if (each.types == of_all) types = "all";
    if (each.types == of_cluster) types = "amlcompute";
    if (each.types == of_instance) types = "computeinstance";
    if (each.types == (of_cluster | of_instance)) types = "amlcompute, computeinstance";
  }
  EXPECT_EQ(types_on_the_page(), wanted);
}

TEST(ReadComputeFile, TakesPathsFromTheFilesFolder) {
  const testing::TemporaryFolder folder;
  testing::write_text(folder / "c.yml", "{name: c1, engine: {type: hosts, hosts: n1, ssh: {config_file: ssh/config}}}");
  const Compute compute = read_compute_file(folder / "c.yml", {"name=c2"}).compute;
  EXPECT_EQ(compute.name, "c2");
  EXPECT_EQ(engine_of(compute).ssh.config_file, folder / "ssh/config");
}

TEST(ReadComputeFile, ReadsTheProjectsExample) {
  const Compute compute = read_compute_file(fs::path(LOCKSTEP_SOURCE_DIR) / "configs/compute/hosts.yml").compute;
  EXPECT_THAT(names_of(engine_of(compute).hosts), ElementsAre("node-1", "node-2", "node-3"));
}

TEST(ReadComputeFile, SaysWhatIsNoFile) {
  const testing::TemporaryFolder folder;
  const auto code_of = [](const fs::path& path) {
    try {
      read_compute_file(path);
    } catch (const Error& e) {
      return e.code();
    }
    return ExitCode::done;
  };
  EXPECT_EQ(code_of(folder / "none.yml"), ExitCode::not_found);
  EXPECT_EQ(code_of(folder.path()), ExitCode::bad_input);
  testing::write_text(folder / "large.yml", std::string(2 << 20, '#'));
  EXPECT_EQ(code_of(folder / "large.yml"), ExitCode::bad_input);
}

}  // namespace
}  // namespace lockstep::spec
