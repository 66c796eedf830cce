#include "runner/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/error.hpp"
#include "common/file.hpp"

namespace lockstep::runner {

using ::testing::AllOf;
using ::testing::HasSubstr;

static std::string error_of_options(const std::vector<std::string>& arguments) {
  try {
    parse_command_line(arguments);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return error.what();
  }
  return "no error";
}

TEST(TrainOptions, ReadsValuesInBothSpellings) {
  const Options o = parse_command_line({"--data", "d", "--model=mlp", "--layers", "512,64", "--lr", "1e-3", "--seed",
                                        "18446744073709551615", "--batch-size=96", "--dropout", "0.5"})
                        .options;
  EXPECT_EQ(o.model, "mlp");
  EXPECT_EQ(o.layers, (std::vector<int>{512, 64}));
  EXPECT_DOUBLE_EQ(o.learning_rate, 0.001);
  EXPECT_EQ(o.seed, 18446744073709551615U);
  EXPECT_EQ(o.batch_size, 96);
  EXPECT_DOUBLE_EQ(o.dropout, 0.5);
  EXPECT_EQ(o.epochs, Options{}.epochs);
}

TEST(TrainOptions, SuggestsTheNearestName) {
  EXPECT_THAT(error_of_options({"--data", "d", "--epoch", "3"}),
              HasSubstr("unknown option --epoch; did you mean '--epochs'?"));
  EXPECT_THAT(error_of_options({"--data", "d", "--batchsize=3"}), HasSubstr("did you mean '--batch-size'?"));
  EXPECT_THAT(error_of_options({"--data", "d", "extra"}), HasSubstr("unexpected argument 'extra'"));
}

TEST(TrainOptions, NamesAllMistakesAtOnce) {
  EXPECT_THAT(error_of_options({"--epochs", "0", "--lr", "fast", "--model", "rnn", "--layers", "3,,4", "--what"}),
              AllOf(HasSubstr("--epochs: 0 is out of range (1 to 1000000)"), HasSubstr("--lr: 'fast' is not a number"),
                    HasSubstr("--model: 'rnn' is none of mlp|cnn"),
                    HasSubstr("--layers: '3,,4' is not a list of sizes"), HasSubstr("unknown option --what")));
}

TEST(TrainOptions, RefusesValuesThatAreNearlyRight) {
  for (const char* value : {"5x", "", "1.5", "-1", "0x10", "99999999999999999999"}) {
    EXPECT_THAT(error_of_options({"--data", "d", "--epochs", value}), HasSubstr("--epochs")) << value;
  }
  for (const char* value : {"nan", "inf", "-0.1", "1,5"}) {
    EXPECT_THAT(error_of_options({"--data", "d", "--lr", value}), HasSubstr("--lr")) << value;
  }
  EXPECT_THAT(error_of_options({"--data", "d", "--lr"}), HasSubstr("--lr"));
  EXPECT_THAT(error_of_options({"--data", "d", "--lr", "1", "--lr", "2"}), HasSubstr("--lr"));
}

TEST(TrainOptions, RefusesWhatMakesNoSenseTogether) {
  EXPECT_THAT(error_of_options({}), HasSubstr("no data: give --data DIR"));
  EXPECT_THAT(error_of_options({"--train-images", "x"}), HasSubstr("--train-images and --train-labels go together"));
  EXPECT_THAT(error_of_options({"--data", "d", "--lr", "0.1", "--lr-end", "0.2"}), HasSubstr("--lr-end is above --lr"));
}

TEST(TrainOptions, HelpShowsEveryOptionItsDefaultAndExamples) {
  const std::string help = parse_command_line({"--help"}).print.value_or("");
  for (const OptionRow& row : option_table()) EXPECT_THAT(help, HasSubstr("--" + row.name + " "));
  EXPECT_THAT(help,
              AllOf(HasSubstr("mpirun -np 4 lockstep-train"), HasSubstr("Exit codes"), HasSubstr("--lr FLOAT=0.05")));
}

TEST(TrainOptions, EveryRowExplainsItselfAndReadsItsOwnDefault) {
  std::set<std::string> names;
  for (const OptionRow& row : option_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.help.empty()) << row.name;
    if (row.default_text().empty()) continue;
    Options options;
    EXPECT_EQ(row.set(options, row.default_text()), std::nullopt) << row.name;
    EXPECT_EQ(row.get(options), row.default_text()) << row.name;
  }
}

TEST(TrainOptions, PageIsUpToDate) {
  EXPECT_EQ(read_file(fs::path(LOCKSTEP_SOURCE_DIR) / "docs" / "train-options.md"), options_page())
      << "renew it with: lockstep-train --options-page > docs/train-options.md";
}

TEST(TrainOptions, PrintsTheVersion) {
  EXPECT_THAT(parse_command_line({"--version"}).print.value_or(""), HasSubstr("lockstep-train "));
}

}  // namespace lockstep::runner
