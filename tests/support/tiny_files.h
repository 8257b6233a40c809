// tiny_files.h: the tiny graph as files, lowered to .tflite, and images that fit it: for tests of whole
// tools.
#ifndef QAT_TESTS_SUPPORT_TINY_FILES_H_
#define QAT_TESTS_SUPPORT_TINY_FILES_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "data/idx.h"
#include "passes/passes.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat::testing {

/// .tflite bytes of the tiny graph.
inline Bytes TinyModel(DType type, const Contract* contract = nullptr) {
  Graph graph = TinyGraph();
  if (contract != nullptr) graph.contract = *contract;
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(type == DType::kUInt8 ? Scheme::kUInt8 : Scheme::kFloat32);
  EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
  auto bytes = WriteTflite(graph, {});
  EXPECT_TRUE(bytes.ok()) << (bytes.ok() ? "" : bytes.error().message);
  return *std::move(bytes);
}

/// Writes a test split of random 4x4 images into `folder`, `labels` of them labelled 0, 1, 2, 0, …
inline void WriteTinyData(const std::string& folder, int32_t images, int32_t labels) {
  std::filesystem::create_directories(folder);
  Random random(7);
  IdxArray pixels{{images, 4, 4}, {}};
  for (int32_t i = 0; i < images * 16; ++i) pixels.values.push_back(static_cast<uint8_t>(random.Below(256)));
  IdxArray classes{{labels}, {}};
  for (int32_t i = 0; i < labels; ++i) classes.values.push_back(static_cast<uint8_t>(i % 3));
  EXPECT_TRUE(WriteFile(folder + "/t10k-images-idx3-ubyte", SerializeIdx(pixels)).ok());
  EXPECT_TRUE(WriteFile(folder + "/t10k-labels-idx1-ubyte", SerializeIdx(classes)).ok());
}

/// g.qgraph, float.tflite, uint8.tflite and data/ with 60 images in a folder of their own.
class TinyFiles {
 public:
  TinyFiles() {
    EXPECT_TRUE(WriteFile(graph(), Serialize(TinyGraph())).ok());
    EXPECT_TRUE(WriteFile(float_model(), TinyModel(DType::kFloat32)).ok());
    EXPECT_TRUE(WriteFile(uint8_model(), TinyModel(DType::kUInt8)).ok());
    WriteTinyData(data(), 60, 60);
  }
  std::string operator/(const std::string& name) const { return folder_ / name; }
  const std::string& path() const { return folder_.path(); }
  std::string graph() const { return folder_ / "g.qgraph"; }
  std::string float_model() const { return folder_ / "float.tflite"; }
  std::string uint8_model() const { return folder_ / "uint8.tflite"; }
  std::string data() const { return folder_ / "data"; }

 private:
  TempDir folder_;
};

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_TINY_FILES_H_
