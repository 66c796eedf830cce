// The metadata service is a stand-in (tests/support/scripted_server.hpp): the real one answers inside of Azure only.
#include "launcher/entrypoint/scheduled_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "tests/support/scripted_server.hpp"

namespace lockstep::entrypoint {
namespace {

using lockstep::testing::ScriptedReply;
using lockstep::testing::ScriptedRequest;
using lockstep::testing::ScriptedServer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As Microsoft's page shows it (Query for events), shortened.
constexpr const char* document = R"({
  "DocumentIncarnation": 3,
  "Events": [
    {"EventId": "A", "EventType": "Preempt", "ResourceType": "VirtualMachine", "Resources": ["pool_0", "pool_1"],
     "EventStatus": "Scheduled", "NotBefore": "Mon, 11 Apr 2022 22:26:58 GMT", "Description": "", "EventSource": "Platform",
     "DurationInSeconds": -1},
    {"EventId": "B", "EventType": "Freeze", "ResourceType": "VirtualMachine", "Resources": ["pool_0"],
     "EventStatus": "Scheduled", "NotBefore": "", "DurationInSeconds": 5},
    {"EventId": "C", "EventType": "Reboot", "ResourceType": "VirtualMachine", "Resources": ["pool_7"],
     "EventStatus": "Started", "NotBefore": ""}
  ]})";

std::vector<std::string> types(const std::string& machine) {
  std::vector<std::string> all;
  for (const Notice& each : notices_in(document, machine)) all.push_back(each.type + " " + each.not_before);
  return all;
}

TEST(ScheduledEvents, AreThoseThatEndWhatRunsOnThisMachine) {
  EXPECT_THAT(types("pool_0"), ElementsAre("Preempt Mon, 11 Apr 2022 22:26:58 GMT"));
  EXPECT_THAT(types("pool_7"), ElementsAre("Reboot "));
  EXPECT_THAT(types("pool_9"), IsEmpty());
  EXPECT_EQ(types("").size(), 2U) << "the machine's name is not known";
}

TEST(ScheduledEvents, RefuseWhatIsNoDocumentOfThem) {
  for (const char* text : {"", "{}", "[]", R"({"Events":[{}]})", R"({"Events":[{"EventId":1,"EventType":"Preempt"}]})",
                           R"({"Events":[{"EventId":"a","EventType":"Preempt","NotBefore":7}]})"}) {
    EXPECT_THROW(notices_in(text, ""), Error) << text;
  }
  EXPECT_THAT(notices_in(R"({"DocumentIncarnation":1,"Events":[]})", ""), IsEmpty());
}

std::string address(const Environment& environment) {
  const auto service = metadata_service(environment);
  return service ? service->host + ":" + service->port : "none";
}

TEST(MetadataService, IsAskedInsideOfAzureOnly) {
  EXPECT_FALSE(metadata_service({}));
  EXPECT_FALSE(metadata_service({{"AZUREML_RUN_ID", "x"}, {"LOCKSTEP_RUN_ID", "x"}})) << "our own run sets both";
  EXPECT_EQ(address({{"AZUREML_RUN_ID", "x"}}), "169.254.169.254:80");
  EXPECT_EQ(address({{"LOCKSTEP_METADATA_SERVICE", "127.0.0.1:8080"}}), "127.0.0.1:8080");
  for (const char* bad : {"127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999"}) {
    EXPECT_THROW(metadata_service({{"LOCKSTEP_METADATA_SERVICE", bad}}), Error) << bad;
  }
}

TEST(MetadataService, ThatIsNotThereHasNoAnswer) {
  EXPECT_FALSE(ask({"127.0.0.1", "1"}, "/"));
  EXPECT_FALSE(ask({"no address", "80"}, "/"));
}

ScriptedReply reply(int status, std::string body) { return {.status = status, .body = std::move(body)}; }

TEST(MetadataService, IsAskedAsAzureWants) {
  std::string header;
  ScriptedServer server([&](const ScriptedRequest& request) {
    header = request.header;
    return reply(request.path == "/name" ? 200 : 404, "pool_0");
  });
  const MetadataService service{"127.0.0.1", std::to_string(server.port())};
  EXPECT_EQ(ask(service, "/name"), "pool_0");
  EXPECT_THAT(header, ::testing::ContainsRegex("Metadata: true"));
  EXPECT_FALSE(ask(service, "/other"));
}

TEST(ScheduledEvents, AreToldOnceEach) {
  std::string events = document;
  ScriptedServer server([&](const ScriptedRequest& request) {
    if (request.path.starts_with("/metadata/instance/compute/name")) return reply(200, "pool_1");
    return reply(200, events);
  });
  ScheduledEvents asked({"127.0.0.1", std::to_string(server.port())});
  const auto first = asked.new_notices();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].id, "A");
  EXPECT_THAT(asked.new_notices(), IsEmpty());
}

TEST(ScheduledEvents, AreNoneWhereTheServiceDoesNotAnswer) {
  ScriptedServer server([](const ScriptedRequest&) { return ScriptedReply{.dropped = true}; });
  EXPECT_THAT(ScheduledEvents({"127.0.0.1", std::to_string(server.port())}).new_notices(), IsEmpty());
}

}  // namespace
}  // namespace lockstep::entrypoint
