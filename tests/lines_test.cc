// Holds every line of the sources to the width of .clang-format, which breaks no comments and strings.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace qat {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = QAT_SOURCE_DIR;

size_t ColumnLimit() {
  std::ifstream file(kSource / ".clang-format");
  for (std::string key, value; file >> key >> value;) {
    if (key == "ColumnLimit:") return std::stoul(value);
  }
  return 0;
}

// Of UTF-8: bytes that continue a character take no column.
size_t Columns(const std::string& line) {
  return static_cast<size_t>(
      std::count_if(line.begin(), line.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

// Skips raw strings, which hold other languages, and tables between "clang-format off" and "on".
class LineFilter {
 public:
  bool Judged(const std::string& line) {
    if (line.find("clang-format off") != std::string::npos) off_ = true;
    if (line.find("clang-format on") != std::string::npos) off_ = false;
    const bool was_inside = !end_.empty(), raw = Advance(line);
    return !off_ && !was_inside && !raw;
  }

 private:
  // Whether the line has a part of a raw string.
  bool Advance(const std::string& line) {
    static const std::regex kBegin("R\"([A-Za-z_]*)\\(");
    bool any = false;
    for (size_t at = 0;;) {
      if (end_.empty()) {
        if (line.find("R\"", at) == std::string::npos) return any;
        std::smatch match;
        const std::string rest = line.substr(at);
        if (!std::regex_search(rest, match, kBegin)) return any;
        any = true;
        end_ = ")" + match[1].str() + "\"";
        at += static_cast<size_t>(match.position() + match.length());
      }
      const size_t end = line.find(end_, at);
      if (end == std::string::npos) return true;
      at = end + end_.size();
      end_.clear();
    }
  }

  std::string end_;  // of the raw string that goes on; empty: none
  bool off_ = false;
};

std::vector<fs::path> Sources() {
  std::vector<fs::path> files;
  for (const char* folder : {"lib", "tools", "tests"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kSource / folder)) {
      const std::string ending = entry.path().extension().string();
      if (ending == ".cc" || ending == ".h") files.push_back(entry.path());
    }
  }
  return files;
}

TEST(Lines, NoLineIsWiderThanTheFormatAllows) {
  const size_t limit = ColumnLimit();
  ASSERT_GT(limit, 0u);
  size_t judged = 0;
  for (const fs::path& path : Sources()) {
    std::ifstream file(path);
    LineFilter filter;
    size_t number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      if (!filter.Judged(line)) continue;
      ++judged;
      EXPECT_LE(Columns(line), limit) << path << ":" << number;
    }
  }
  EXPECT_GT(judged, 100000u);
}

TEST(Lines, RawStringsAndTablesAreLeftOut) {
  LineFilter filter;
  EXPECT_TRUE(filter.Judged("int a;"));
  EXPECT_FALSE(filter.Judged("x = R\"py(first"));
  EXPECT_FALSE(filter.Judged("second"));
  EXPECT_FALSE(filter.Judged("last)py\";"));
  EXPECT_TRUE(filter.Judged("int b;"));
  EXPECT_FALSE(filter.Judged("// clang-format off"));
  EXPECT_FALSE(filter.Judged("{1, 2},"));
  EXPECT_TRUE(filter.Judged("// clang-format on"));
}

}  // namespace
}  // namespace qat
