#include <algorithm>

#include "tests/unit/api/job_rig.hpp"

namespace lockstep::api {
namespace {

class PortalFiles : public JobRig {
 protected:
  history::server::Answer get_unless(const std::string& path, const std::string& if_none_match) {
    Request request = request_of(Verb::get, path);
    request.if_none_match = if_none_match;
    return send(std::move(request));
  }
  static std::string tag_of(const Reply& reply) {
    const auto found = std::ranges::find(reply.headers, "ETag", &history::KeyValue::key);
    return found == reply.headers.end() ? "" : found->value;
  }
};

TEST_F(PortalFiles, SendsAFileOnceToABrowserThatKeepsIt) {
  const auto first = get("/portal/main.js");
  const std::string tag = tag_of(first.reply);
  EXPECT_EQ(first.status, 200);
  EXPECT_FALSE(first.reply.body.empty());
  EXPECT_EQ(tag.size(), 34U);
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const auto again = get_unless("/portal/main.js", known);
    EXPECT_EQ(again.status, 304) << known;
    EXPECT_EQ(again.reply.body, "") << known;
    EXPECT_EQ(tag_of(again.reply), tag) << known;
  }
}

TEST_F(PortalFiles, SendsAFileThatIsAnotherOneByNow) {
  const std::string tag = tag_of(get("/portal/main.js").reply);
  for (const std::string& known : {std::string("\"0123\""), tag.substr(1, 32), tag_of(get("/").reply)}) {
    EXPECT_EQ(get_unless("/portal/main.js", known).status, 200) << known;
  }
}

}  // namespace
}  // namespace lockstep::api
