// An .onnx in one process with LibTorch, which brings libraries for protobuf (and, from Debian, ONNX) of its
// own: our reader is none of them, and the network that comes in computes in LibTorch's operators what
// PyTorch answered.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "checkpoint/make_trainable.h"
#include "data/npy.h"
#include "import/read_network.h"
#include "import/source_arrays.h"
#include "ir/batch_axis.h"
#include "support/places.h"
#include "support/test_util.h"
#include "train/deployed.h"
#include "train/network.h"

namespace qat {
namespace {

/// Files of this process whose name holds `part`.
std::set<std::string> MappedFiles(const std::string& part) {
  std::set<std::string> files;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const size_t name = line.find('/');
    if (name == std::string::npos) continue;
    if (line.find(part, line.rfind('/')) != std::string::npos) files.insert(line.substr(name));
  }
  return files;
}

class OnnxBesideTorch : public ::testing::TestWithParam<const char*> {};

TEST_P(OnnxBesideTorch, ComputesWhatPyTorchAnswered) {
  const std::string folder = std::string(testing::kSourceDir) + "/tests/import/onnx/";
  std::vector<std::string> notes;
  const auto read = ReadNetwork(folder + GetParam() + ".onnx", {}, notes);
  QAT_ASSERT_OK(read);
  const auto checkpoint = MakeTrainable(read->graph, read->batch_norms);
  QAT_ASSERT_OK(checkpoint);
  auto network = Network::FromCheckpoint(*checkpoint);
  QAT_ASSERT_OK(network);
  EXPECT_EQ((*network)->batch_norms().size(), read->batch_norms.size());

  const auto x = ReadSourceArrays(folder + "x.npy"), y = ReadSourceArrays(folder + "y.npy");
  QAT_ASSERT_OK(x);
  QAT_ASSERT_OK(y);
  std::vector<float> images = x->front().values;  // [N, C, H, W], as LibTorch has them
  const std::vector<int64_t> sizes(x->front().shape.begin(), x->front().shape.end());
  const at::NoGradGuard no_gradients;
  const at::Tensor outputs = (*network)->Forward({at::from_blob(images.data(), sizes)}, {}).front();
  const std::vector<double> found = testing::ValuesInNhwc(outputs);
  ASSERT_EQ(found.size(), y->front().values.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], y->front().values[i], 1e-5) << i;

  EXPECT_LE(MappedFiles("libprotobuf").size(), 1u);
}

// Its exporter puts the steps first and counts heads along the batch: KeepBatchFirst (ir/batch_axis.h) brings
// the batch back, and four examples at once have the answers of each alone.
TEST(OnnxEncoderBesideTorch, OfPyTorchKeepsItsExamplesApart) {
  const std::string folder = std::string(testing::kSourceDir) + "/tests/import/onnx/encoder";
  std::vector<std::string> notes;
  auto read = ReadNetwork(folder + ".onnx", {}, notes);
  QAT_ASSERT_OK(read);
  ASSERT_TRUE(KeepBatchFirst(read->graph));
  const auto checkpoint = MakeTrainable(read->graph, read->batch_norms);
  QAT_ASSERT_OK(checkpoint);
  auto network = Network::FromCheckpoint(*checkpoint);
  QAT_ASSERT_OK(network);
  const auto x = ReadSourceArrays(folder + "_x.npy"), y = ReadSourceArrays(folder + "_y.npy");
  QAT_ASSERT_OK(x);
  QAT_ASSERT_OK(y);
  std::vector<float> series = x->front().values;
  const at::NoGradGuard no_gradients;
  const at::Tensor outputs = (*network)->Forward({at::from_blob(series.data(), {4, 5, 8})}, {}).front();
  const std::vector<double> found = testing::ValuesInNhwc(outputs);
  ASSERT_EQ(found.size(), 12u);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], y->front().values[i], 1e-5) << i;
}

INSTANTIATE_TEST_SUITE_P(Files, OnnxBesideTorch, ::testing::Values("script", "dynamo", "batch_norms"));

}  // namespace
}  // namespace qat
