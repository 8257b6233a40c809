// convert_fixture.h: files of a tiny run and graphs, and how qat-freeze and qat-convert are run on them.
#ifndef QAT_TESTS_TOOLS_CONVERT_FIXTURE_H_
#define QAT_TESTS_TOOLS_CONVERT_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_files.h"
#include "support/tiny_graph.h"

namespace qat::testing {

inline bool Holds(const std::string& text, const std::string& piece) {
  return text.find(piece) != std::string::npos;
}

#define EXPECT_HOLDS(text, piece)                                                            \
  do {                                                                                       \
    const std::string held = text;                                                           \
    EXPECT_TRUE(qat::testing::Holds(held, piece)) << "no '" << (piece) << "' in:\n" << held; \
  } while (false)

/// The exit code, one sentence on standard error, and nothing on standard output.
#define EXPECT_REFUSED(run, code, piece)                                                   \
  do {                                                                                     \
    const qat::testing::ProcessResult refused = run;                                       \
    EXPECT_EQ(refused.exit_code, code) << refused.err;                                     \
    EXPECT_HOLDS(refused.err, piece);                                                      \
    EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err; \
    EXPECT_EQ(refused.out, "");                                                            \
  } while (false)

// 60 images of 4x4 as training data.
inline std::string CalibrationData(const TempDir& dir) {
  qat::testing::WriteTinyData(dir / "data", 60, 60);
  for (const std::string file : {"images-idx3-ubyte", "labels-idx1-ubyte"}) {
    std::filesystem::copy(dir / ("data/t10k-" + file), dir / ("data/train-" + file));
  }
  return dir / "data";
}

class Tools : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_ / "run/checkpoints");
    Checkpoint checkpoint = TinyCheckpoint();
    for (const auto& [step, accuracy] : {std::pair{300, 97.0}, {600, 99.0}, {900, 98.0}}) {
      checkpoint.step = step;
      checkpoint.metrics["holdout_accuracy"] = accuracy;
      ASSERT_TRUE(WriteFile(CheckpointPath(dir_ / "run", step), Serialize(checkpoint)).ok());
    }
    ASSERT_TRUE(WriteFile(dir_ / "g.qgraph", Serialize(TinyGraph())).ok());
    ASSERT_TRUE(WriteFile(dir_ / "f.qgraph", Serialize(TinyGraph(/*with_ranges=*/false))).ok());
  }
  ProcessResult Freeze(std::vector<std::string> arguments) {
    return RunTool("qat-freeze", std::move(arguments));
  }
  ProcessResult Convert(std::vector<std::string> arguments) {
    return RunTool("qat-convert", std::move(arguments));
  }

  TempDir dir_;
};

}  // namespace qat::testing

#endif  // QAT_TESTS_TOOLS_CONVERT_FIXTURE_H_
