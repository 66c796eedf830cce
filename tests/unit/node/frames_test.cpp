#include "launcher/node/frames.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace lockstep::node {
namespace {

Frame piece(const std::string& bytes) { return {{{"word", "append"}, {"path", "logs/rank-0.log"}}, bytes}; }

TEST(Frames, ComeWholeHoweverTheyArrive) {
  const std::string nul_and_more("a\0\xff\n", 4);
  const std::string sent = encode(piece(nul_and_more)) + encode({{{"word", "alive"}}});
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, sent.size()}) {
    FrameReader reader;
    std::vector<Frame> got;
    for (std::size_t at = 0; at < sent.size(); at += step) {
      reader.add(std::string_view(sent).substr(at, step));
      Frame frame;
      while (reader.next(frame)) got.push_back(frame);
    }
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[0].head, piece("").head);
    EXPECT_EQ(got[0].body, nul_and_more);
    EXPECT_EQ(got[1].word(), "alive");
  }
}

TEST(Frames, WhatALoginShellSaysBeforeThemIsPassedOver) {
  FrameReader reader(true);
  Frame frame;
  reader.add(std::string(100'000, 'x') + "\nWelcome to node-1!\nlockstep-no");
  EXPECT_FALSE(reader.next(frame));
  EXPECT_FALSE(reader.greeted());
  EXPECT_THAT(reader.before_greeting(), ::testing::EndsWith("lockstep-no"));
  reader.add("de 1\n" + encode({{{"word", "hello"}}}));
  EXPECT_TRUE(reader.greeted());
  ASSERT_TRUE(reader.next(frame));
  EXPECT_EQ(frame.word(), "hello");
}

TEST(Frames, OthersAreRefused) {
  const auto refused = [](const std::string& bytes) {
    FrameReader reader;
    reader.add(bytes);
    Frame frame;
    try {
      return reader.next(frame) ? "taken" : "waits for more";
    } catch (const Error&) {
      return "refused";
    }
  };
  const std::string no_body("\0\0\0\0", 4);
  EXPECT_STREQ(refused(encode(piece("abc")).substr(0, 12)), "waits for more");
  EXPECT_STREQ(refused(std::string("\x02\0\0\0", 4) + no_body + "{}\n"), "refused") << "a head without a word";
  EXPECT_STREQ(refused(std::string("\x02\0\0\0", 4) + no_body + "[]\n"), "refused");
  EXPECT_STREQ(refused(std::string("\x03\0\0\0", 4) + no_body + "{x}\n"), "refused");
  EXPECT_STREQ(refused(encode({{{"word", "alive"}}}).substr(0, 24) + "x"), "refused") << "its end is missing";
  EXPECT_STREQ(refused("\xff\xff\xff\xff" + no_body), "refused") << "too long to be one";
  EXPECT_THROW((void)encode(piece(std::string(longest_body + 1, 'x'))), Error);
}

}  // namespace
}  // namespace lockstep::node
