#include "tflite/model_source.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/strings.h"
#include "support/subprocess.h"

namespace qat {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(ModelSource, IsToldByTheEnding) {
  for (const char* path : {"m.cc", "m.h", "a.b/m.c", "m.cpp", "m.hpp"}) EXPECT_TRUE(IsCSource(path)) << path;
  for (const char* path : {"m.tflite", "m", "a.cc/m", "cc", "m.cc.tflite"})
    EXPECT_FALSE(IsCSource(path)) << path;
}

TEST(ModelSource, NamesTheArrayByTheFile) {
  EXPECT_NE(ModelSource(Bytes{1}, "dir/lenet-5.cc").find("const unsigned char lenet_5[] = {\n  0x01,\n};"),
            std::string::npos);
  EXPECT_NE(ModelSource(Bytes{1}, "5.cc").find(" model_5[] = {"), std::string::npos);
}

// What compilers make of it: the bytes, their number, the alignment; from C and from C++, of a source and of
// a header.
class CompiledModel : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(CompiledModel, HoldsTheBytes) {
  const auto& [file, compiler] = GetParam();
  testing::TempDir dir;
  Bytes bytes;
  for (int i = 0; i < 300; ++i) bytes.push_back(static_cast<uint8_t>(i * 7));
  testing::WriteText(dir / file, ModelSource(bytes, dir / file));
  const std::string name = std::filesystem::path(file).stem();
  const std::string ending = std::string(compiler) == "cc" ? ".c" : ".cc";
  const bool header = std::string(file).ends_with(".h");
  const std::string declared = header ? StrCat("#include \"", dir / file, "\"\n")
                                      : StrCat("extern const unsigned char ", name,
                                               "[];\nextern const unsigned int ", name, "_len;\n");
  testing::WriteText(dir / ("main" + ending), StrCat("#include <stdio.h>\n#include <stdint.h>\n", declared,
                                                     "int main(void) {\n  if ((uintptr_t)", name,
                                                     " % 16 != 0) return 1;\n  return fwrite(", name, ", 1, ",
                                                     name, "_len, stdout) == ", name, "_len ? 0 : 1;\n}\n"));
  std::string command =
      StrCat(compiler, " -Wall -Wextra -Werror -o ", dir / "main", " ", dir / ("main" + ending));
  if (!header) command += StrCat(" ", dir / file);
  const auto compiled = testing::Run({"/bin/sh", "-c", command});
  ASSERT_EQ(compiled.exit_code, 0) << compiled.err;
  const auto printed = testing::Run({dir / "main"});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_EQ(printed.out, std::string(bytes.begin(), bytes.end()));
}

INSTANTIATE_TEST_SUITE_P(Files, CompiledModel,
                         ::testing::Values(std::pair("m_1.cc", "c++"), std::pair("m.c", "cc"),
                                           std::pair("m.h", "c++"), std::pair("n.h", "cc")),
                         [](const auto& file) {
                           return std::string(file.param.second == std::string("cc") ? "C" : "Cpp") + "_" +
                                  std::to_string(file.index);
                         });

}  // namespace
}  // namespace qat
