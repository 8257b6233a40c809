#include "cli/output_name.h"

#include <gtest/gtest.h>

#include <array>

#include "support/test_util.h"

namespace qat {
namespace {

constexpr std::array<std::string_view, 2> kEndings = {".html", ".htm"};
constexpr OutputFormat kPage = {"--html", "an HTML page", kEndings};

TEST(OutputName, OfTheFormatOrOfNoneIsFine) {
  for (const char* path :
       {"r.html", "r.HTM", "report", "-", "/dev/stdout", "report.v2", "a.json/report", ".json", "r.html.bak"})
    EXPECT_TRUE(CheckOutputName(kPage, path).ok()) << path;
}

TEST(OutputName, OfAnotherFormatIsRefusedWithTheWayOut) {
  QAT_EXPECT_ERROR(CheckOutputName(kPage, "dir/r.json"), ErrorCode::kInvalidArgument,
                   "--html: dir/r.json: the name says JSON, but an HTML page is written; choose a name that "
                   "ends in .html");
  for (const char* path : {"m.onnx", "m.PTH", "m.tflite", "m.safetensors", "page.pdf"})
    EXPECT_FALSE(CheckOutputName(kPage, path).ok()) << path;
}

TEST(OutputName, OfAFolderHasNoEndingOfAFormat) {
  QAT_EXPECT_ERROR(
      CheckOutputName({"--output", "a run directory", {}}, "runs/m.tflite"), ErrorCode::kInvalidArgument,
      "the name says a TFLite model, but a run directory is written; choose a name without that ending");
  EXPECT_TRUE(CheckOutputName({"--output", "a run directory", {}}, "runs/lenet-0.5").ok());
}

}  // namespace
}  // namespace qat
