// Holds the tree against the table of layers in docs/design.md, so that neither can drift from the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace qat {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const fs::path kSource = QAT_SOURCE_DIR;

struct Layer {
  Names may_include;
  Names outside;            // libraries, in any file
  Names outside_in_source;  // libraries, in .cc files only
};

std::string TextOf(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> WordsMatching(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> words;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it)
    words.push_back((*it)[1]);
  return words;
}

std::vector<std::string> Cells(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream stream(row.substr(1));
  for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(cell);
  return cells;
}

// "LibTorch, flatbuffers (`.cc`)": a name followed by (`.cc`) may be included by .cc files only.
void ReadOutside(const std::string& cell, Layer& layer) {
  static const std::regex kName("([A-Za-z][A-Za-z0-9+-]*)( \\(`\\.cc`\\))?");
  for (std::sregex_iterator it(cell.begin(), cell.end(), kName), end; it != end; ++it) {
    ((*it)[2].matched ? layer.outside_in_source : layer.outside).insert((*it)[1]);
  }
}

// The rows of the table under the heading "## 2. Layers":
// | `layer`, `layer` (what) | base quant | zlib | target |
struct Table {
  std::map<std::string, Layer> layers;
  std::vector<std::string> order;
};

Table ReadTable() {
  Table table;
  std::istringstream page(TextOf(kSource / "docs/design.md"));
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("## ", 0) == 0) inside = line.rfind("## 2.", 0) == 0;
    if (!inside || line.rfind("| `", 0) != 0) continue;
    const std::vector<std::string> cells = Cells(line);
    if (cells.size() < 4) continue;
    Layer layer;
    for (const std::string& word : WordsMatching(cells[1], std::regex("([a-z/_]+)"))) {
      if (word != "nothing") layer.may_include.insert(word);
    }
    ReadOutside(cells[2], layer);
    const std::string names = cells[0].substr(0, cells[0].find('('));
    for (const std::string& name : WordsMatching(names, std::regex("`([a-z/_]+)`"))) {
      table.layers[name] = layer;
      table.order.push_back(name);
    }
  }
  return table;
}

// Library that a header belongs to; empty: the language's, the system's, or ours.
std::string LibraryOf(const std::string& header) {
  static const std::vector<std::pair<std::string, std::string>> kPrefixes = {
      {"torch/", "LibTorch"},           {"ATen/", "LibTorch"},        {"c10/", "LibTorch"},
      {"flatbuffers/", "flatbuffers"},  {"spdlog/", "spdlog"},        {"openssl/", "OpenSSL"},
      {"nlohmann/", "nlohmann-json"},   {"toml++/", "toml++"},        {"zlib.h", "zlib"},
      {"turbojpeg.h", "libjpeg-turbo"}, {"png.h", "libpng"},          {"CLI/", "CLI11"},
      {"google/protobuf", "protobuf"},

      {"immintrin.h", "intrinsics"},    {"arm_neon.h", "intrinsics"},
  };
  for (const auto& [prefix, library] : kPrefixes) {
    if (header.rfind(prefix, 0) == 0) return library;
  }
  if (header.size() > 12 && header.ends_with("_generated.h")) return "flatbuffers";
  if (header.ends_with(".pb.h")) return "protobuf";
  return "";
}

struct SourceFile {
  std::string path;  // from the root of the tree
  std::vector<std::string> includes;
  bool is_source() const { return path.ends_with(".cc"); }
};

std::vector<SourceFile> FilesUnder(const std::string& folder) {
  std::vector<SourceFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(kSource / folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cc" && extension != ".inc") continue;
    static const std::regex kInclude("(?:^|\\n)[ \\t]*#[ \\t]*include[ \\t]*[\"<]([^\">]+)[\">]");
    files.push_back(
        {fs::relative(entry.path(), kSource).string(), WordsMatching(TextOf(entry.path()), kInclude)});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

// The layer of "a/b/c.h": the longest known folder. Empty: none.
std::string LayerOf(const Table& table, const std::string& path) {
  for (fs::path folder = fs::path(path).parent_path(); !folder.empty(); folder = folder.parent_path()) {
    if (table.layers.count(folder.string()) > 0) return folder.string();
  }
  return "";
}

TEST(Layers, TableAndFoldersAreTheSame) {
  const Table table = ReadTable();
  ASSERT_GE(table.layers.size(), 15u) << "docs/design.md: the table under '## 2.' was not found";
  for (const std::string& name : table.order) {
    EXPECT_TRUE(fs::is_directory(kSource / "lib" / name)) << "docs/design.md names lib/" << name;
  }
  for (const auto& entry : fs::directory_iterator(kSource / "lib")) {
    if (!entry.is_directory()) continue;
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(table.layers.count(name) > 0) << "lib/" << name << " is not in docs/design.md";
  }
}

TEST(Layers, AreListedLowestFirst) {
  const Table table = ReadTable();
  Names below;
  for (const std::string& name : table.order) {
    for (const std::string& included : table.layers.at(name).may_include) {
      EXPECT_TRUE(below.count(included) > 0)
          << name << " may include " << included << ", which is not above it";
    }
    below.insert(name);
  }
}

TEST(Layers, FilesIncludeWhatTheTableAllows) {
  const Table table = ReadTable();
  size_t seen = 0;
  for (const SourceFile& file : FilesUnder("lib")) {
    const std::string layer = LayerOf(table, file.path.substr(4));
    ASSERT_NE(layer, "") << file.path;
    for (const std::string& header : file.includes) {
      const std::string included = LayerOf(table, header);
      if (included.empty()) continue;
      ++seen;
      EXPECT_TRUE(included == layer || table.layers.at(layer).may_include.count(included) > 0)
          << file.path << ": " << layer << " may not include " << header;
    }
  }
  EXPECT_GT(seen, 100u) << "the includes were not found";
}

TEST(Layers, LibrariesStayWhereTheTablePutsThem) {
  const Table table = ReadTable();
  const std::vector<SourceFile> files = FilesUnder("lib");
  Names included_by_headers;
  for (const SourceFile& file : files) {
    if (!file.is_source()) included_by_headers.insert(file.includes.begin(), file.includes.end());
  }
  for (const SourceFile& file : files) {
    const Layer& layer = table.layers.at(LayerOf(table, file.path.substr(4)));
    // A header that no other header includes reaches sources only.
    const bool sources_only = file.is_source() || included_by_headers.count(file.path.substr(4)) == 0;
    for (const std::string& header : file.includes) {
      const std::string library = LibraryOf(header);
      if (library.empty() || layer.outside.count(library) > 0) continue;
      EXPECT_TRUE(layer.outside_in_source.count(library) > 0) << file.path << " may not include " << header;
      EXPECT_TRUE(sources_only) << file.path << ": headers include it, so it may not include " << header;
    }
  }
}

TEST(Layers, OnlyTheTrainerMeetsLibTorch) {
  for (const std::string& folder : {std::string("lib"), std::string("tools")}) {
    for (const SourceFile& file : FilesUnder(folder)) {
      const bool may = file.path.rfind("lib/train/", 0) == 0;
      for (const std::string& header : file.includes) {
        EXPECT_TRUE(may || LibraryOf(header) != "LibTorch") << file.path << " includes " << header;
        const bool trainer = header.rfind("train/", 0) == 0;
        EXPECT_TRUE(!trainer || may || file.path.starts_with("tools/qat_train/"))
            << file.path << " includes " << header;
      }
    }
  }
}

TEST(Layers, HeadersAreIncludedFromTheRootOfTheLibrary) {
  for (const SourceFile& file : FilesUnder("lib")) {
    for (const std::string& header : file.includes) {
      EXPECT_EQ(header.find(".."), std::string::npos) << file.path << " includes " << header;
    }
  }
}

// Every page: those at the top and those under docs/.
std::vector<fs::path> Pages() {
  std::vector<fs::path> pages;
  for (const auto& entry : fs::directory_iterator(kSource)) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  for (const auto& entry : fs::recursive_directory_iterator(kSource / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  return pages;
}

TEST(Documents, ThatAreNamedExist) {
  static const std::regex kPage("(docs/[A-Za-z_-]+\\.md)");
  static const std::regex kLink("\\]\\(([A-Za-z_./-]+)[)#]");
  for (const char* folder : {"lib", "tools", "schemas", "tests", "scripts"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kSource / folder)) {
      if (!entry.is_regular_file()) continue;
      for (const std::string& page : WordsMatching(TextOf(entry.path()), kPage)) {
        EXPECT_TRUE(fs::exists(kSource / page)) << entry.path() << " names " << page;
      }
    }
  }
  for (const fs::path& page : Pages()) {
    for (const std::string& link : WordsMatching(TextOf(page), kLink)) {
      EXPECT_TRUE(fs::exists(page.parent_path() / link)) << page << " links to " << link;
    }
  }
}

TEST(Documents, NameFlagsThatExist) {
  std::string known;
  for (const char* folder : {"tools", "lib/cli", "scripts", "tests/conformance"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kSource / folder)) {
      if (entry.is_regular_file()) known += TextOf(entry.path());
    }
  }
  // Of other programs: cmake, ctest, googletest, pkg-config, TensorBoard, torchrun.
  const Names others = {"--no-python", "--nproc-per-node",    "--build",        "--target",
                        "--test-dir",  "--output-on-failure", "--gtest_filter", "--logdir",
                        "--prefix",    "--component",         "--cflags",       "--libs"};
  static const std::regex kFlag("(?:^|[^a-zA-Z0-9-])(--[a-z][a-z_-]+)");
  for (const fs::path& page : Pages()) {
    for (const std::string& flag : WordsMatching(TextOf(page), kFlag)) {
      const bool found = known.find(flag) != std::string::npos ||
                         known.find("{\"" + flag.substr(2) + "\"") != std::string::npos;  // a row of a table
      EXPECT_TRUE(found || others.count(flag) > 0) << page << " names " << flag;
    }
  }
}

// The library names fields (`max_drop`); lib/cli makes flags of them.
TEST(Layers, OnlyTheCommandLineSpellsFlags) {
  static const std::regex kFlagInText("\"(?:[^\"\\\\]|\\\\.)*--[a-z](?:[^\"\\\\]|\\\\.)*\"");
  size_t seen = 0;
  for (const SourceFile& file : FilesUnder("lib")) {
    if (file.path.rfind("lib/cli/", 0) == 0 || file.path == "lib/report/html_style.h") continue;
    std::istringstream lines(TextOf(kSource / file.path));
    for (std::string line; std::getline(lines, line); ++seen) {
      const std::string code = line.substr(0, line.find("//"));
      EXPECT_FALSE(std::regex_search(code, kFlagInText)) << file.path << ": " << line;
    }
  }
  EXPECT_GT(seen, 10000u) << "the sources were not found";
}

TEST(Layers, NothingElseLiesAtTheTop) {
  const Names known = {"CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md",
                       "LICENSE",      "README.md",      "SECURITY.md",       "docs",
                       "lib",          "schemas",        "scripts",           "tests",
                       "tools"};
  for (const auto& entry : fs::directory_iterator(kSource)) {
    const std::string name = entry.path().filename().string();
    if (name[0] == '.' || name.rfind("build", 0) == 0) continue;
    EXPECT_TRUE(known.count(name) > 0) << name;
  }
}

}  // namespace
}  // namespace qat
