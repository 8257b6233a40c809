// The rules of help, for every program and command: -h is short, --help is complete, nothing hides in the
// text of another flag.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "support/subprocess.h"

namespace qat {
namespace {

using Words = std::vector<std::string>;

// "qat-eval bench": the program, then its command.
std::vector<Words> AllCommands() {
  std::vector<Words> all = {{"qat-freeze"}, {"qat-convert"}, {"qat-eval"}};
  for (const char* command : {"compare", "bench", "classify", "run", "trace", "debug", "inspect", "report"})
    all.push_back({"qat-eval", command});
#ifdef QAT_HAS_TRAIN
  for (const Words& words : {Words{"qat-train"}, Words{"qat-train", "train"}, Words{"qat-train", "plot"}})
    all.push_back(words);
#endif
  return all;
}

struct Row {
  std::string flags;  // "-o, --output FILE"
  std::string text;
};

struct Page {
  std::string text;
  std::vector<std::string> lines;
  std::vector<Row> rows;
  std::vector<std::string> groups;  // headings
  std::set<std::string> empty_groups;
};

// Rows begin with two blanks, their text in column 30 or behind two blanks; more text is indented by 30.
Page Parse(const std::string& text) {
  Page page;
  page.text = text;
  std::istringstream stream(text.substr(0, text.find("\nexamples:\n") + 1));
  const std::string indent(30, ' ');
  for (std::string line; std::getline(stream, line);) {
    page.lines.push_back(line);
    if (line.rfind(indent, 0) == 0) {
      page.rows.back().text += " " + line.substr(30);
    } else if (line.rfind("  ", 0) == 0) {
      const size_t end = line.find("  ", 2);
      page.rows.push_back({line.substr(2, end - 2),
                           end == std::string::npos ? "" : line.substr(line.find_first_not_of(' ', end))});
      if (!page.groups.empty()) page.empty_groups.erase(page.groups.back());
    } else if (line.ends_with(":")) {
      page.groups.push_back(line);
      page.empty_groups.insert(line);
    }
  }
  return page;
}

Page HelpOf(const Words& command, const char* flag) {
  static std::map<std::pair<Words, std::string>, Page> known;
  if (const auto at = known.find({command, flag}); at != known.end()) return at->second;
  Words arguments(command.begin() + 1, command.end());
  arguments.push_back(flag);
  const auto result = testing::RunTool(command[0], arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return known[{command, flag}] = Parse(result.out);
}

// The long names in a row or a text: "--output".
std::vector<std::string> FlagsIn(const std::string& text) {
  static const std::regex kFlag("--[a-z][a-z-]*");
  std::vector<std::string> flags;
  for (std::sregex_iterator at(text.begin(), text.end(), kFlag), end; at != end; ++at)
    flags.push_back(at->str());
  return flags;
}

std::set<std::string> FlagsOfRows(const Page& page) {
  std::set<std::string> flags;
  for (const Row& row : page.rows) {
    for (const std::string& flag : FlagsIn(row.flags)) flags.insert(flag);
  }
  return flags;
}

class HelpPage : public ::testing::TestWithParam<Words> {};

TEST_P(HelpPage, ShortHelpIsUnderThirtyLinesAndPartOfTheLongOne) {
  const Page usual = HelpOf(GetParam(), "-h"), all = HelpOf(GetParam(), "--help");
  EXPECT_LT(std::count(usual.text.begin(), usual.text.end(), '\n'), 30) << usual.text;
  EXPECT_GE(usual.rows.size(), 5u) << usual.text;
  const std::set<std::string> known = FlagsOfRows(all);
  for (const std::string& flag : FlagsOfRows(usual)) EXPECT_TRUE(known.count(flag) > 0) << flag;
}

TEST_P(HelpPage, FitsAHundredColumnsAndEndsWithExamples) {
  for (const char* flag : {"-h", "--help"}) {
    const Page page = HelpOf(GetParam(), flag);
    for (const std::string& line : page.lines) EXPECT_LE(line.size(), 100u) << line;
    const size_t examples = page.text.find("\nexamples:\n  " + GetParam()[0] + " ");
    ASSERT_NE(examples, std::string::npos) << page.text;
    EXPECT_GE(std::count(page.text.begin() + static_cast<long>(examples), page.text.end(), '\n'), 4);
  }
}

TEST_P(HelpPage, EveryRowSaysWhatItsFlagDoesAndNoGroupIsEmpty) {
  const Page page = HelpOf(GetParam(), "--help");
  EXPECT_TRUE(page.empty_groups.empty()) << *page.empty_groups.begin();
  std::set<std::string> seen;
  for (const Row& row : page.rows) {
    EXPECT_GE(std::count(row.text.begin(), row.text.end(), ' '), 1) << row.flags << ": " << row.text;
    EXPECT_TRUE(row.text.rfind("(default", 0) != 0) << row.flags << ": " << row.text;
    for (const std::string& flag : FlagsIn(row.flags))
      EXPECT_TRUE(seen.insert(flag).second) << flag << " has two rows";
  }
}

// A flag that is named in another one's text has a row of its own, here or in another program.
TEST_P(HelpPage, NoFlagHidesInTheTextOfAnother) {
  std::set<std::string> known;
  for (const Words& command : AllCommands()) known.merge(FlagsOfRows(HelpOf(command, "--help")));
  known.insert("--scheme");  // of qat-train, where that is not built
  for (const Row& row : HelpOf(GetParam(), "--help").rows) {
    for (const std::string& flag : FlagsIn(row.text))
      EXPECT_TRUE(known.count(flag) > 0) << row.flags << ": " << row.text;
  }
}

// What shells complete is what the definitions hold: no flag is understood that help does not show.
TEST_P(HelpPage, NoFlagIsUnderstoodThatHelpDoesNotShow) {
  const auto script = testing::RunTool(GetParam()[0], {"--help-as", "bash"}).out;
  std::set<std::string> shown;
  for (const Words& command : AllCommands()) {
    if (command[0] == GetParam()[0]) shown.merge(FlagsOfRows(HelpOf(command, "--help")));
  }
  size_t flags = 0;
  std::istringstream lines(script);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("  flags='") == std::string::npos) continue;
    for (const std::string& flag : FlagsIn(line)) EXPECT_TRUE(shown.count(flag) > 0) << flag;
    flags += FlagsIn(line).size();
  }
  EXPECT_GT(flags, 5u) << script;
}

std::string NameOf(const ::testing::TestParamInfo<Words>& info) {
  std::string name;
  for (const std::string& word : info.param) name += (name.empty() ? "" : "_") + word;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Programs, HelpPage, ::testing::ValuesIn(AllCommands()), NameOf);

}  // namespace
}  // namespace qat
