#include "freeze/folding.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/random.h"
#include "freeze/freeze.h"
#include "support/network_of.h"
#include "support/test_util.h"

namespace qat {
namespace {

// Every layout of a filter: [O, H, W, I], [1, H, W, O], [O, I].
constexpr char kSpec[] =
    "name = \"norms\"\n[input]\nheight = 6\nwidth = 6\nchannels = 3\n"
    "[[layer]]\nname = \"conv\"\nop = \"conv_2d\"\nfilters = 4\nkernel = 3\nbatch_norm = true\n"
    "[[layer]]\nname = \"deep\"\nop = \"depthwise_conv_2d\"\nkernel = [2, 3]\nmultiplier = 2\nbatch_norm = "
    "{epsilon = 0.1}\n"
    "[[layer]]\nname = \"up\"\nop = \"transpose_conv\"\nfilters = 5\nkernel = 2\nstride = 2\nbatch_norm = "
    "true\n"
    "[[layer]]\nname = \"rows\"\nop = \"fully_connected\"\nunits = 7\nbatch_norm = true\n"
    "[[layer]]\nname = \"last\"\nop = \"fully_connected\"\nunits = 2\n";

struct Frozen {
  Graph network;
  Checkpoint checkpoint;
  Graph graph;
};

// Each value apart from all others, so that no two channels could be taken for one another.
Frozen FreezeNorms() {
  Frozen frozen;
  Checkpoint& checkpoint = frozen.checkpoint;
  checkpoint.network = frozen.network = testing::NetworkOf(kSpec);
  checkpoint.scheme = "float32";
  checkpoint.contract = {6, 6, 3, {0, 0, 0}, {255, 255, 255}, {}};
  Random random(5);
  const auto spec = ParseNetworkSpec(kSpec, "norms.toml");
  for (const LayerSpec& layer : spec->layers) {
    for (const ParameterSpec& parameter : TrainedParameters(layer)) {
      NamedTensor tensor{parameter.shape, {}};
      for (int64_t i = 0; i < FlatSize(parameter.shape); ++i) {
        tensor.values.push_back(static_cast<float>(random.Between(1, 3000)) / 1000);
      }
      checkpoint.tensors[layer.name + "/" + std::string(parameter.suffix)] = tensor;
    }
  }
  std::vector<std::string> warnings;
  frozen.graph = *Freeze(checkpoint, {}, warnings);
  return frozen;
}

TEST(CompareFolded, LayersOfEveryLayoutAreWhatWasTrained) {
  const Frozen frozen = FreezeNorms();
  const std::vector<FoldedLayer> layers = CompareFolded(frozen.checkpoint, frozen.network, frozen.graph);
  ASSERT_EQ(layers.size(), 4u);
  for (const FoldedLayer& layer : layers) {
    EXPECT_GT(layer.difference, 0) << layer.name;  // filter' is rounded
    EXPECT_LT(layer.difference, 2e-7) << layer.name;
  }
  EXPECT_TRUE(CheckFolded(layers).ok());
}

// A thousandth of one bias, one value of one filter, an epsilon that was forgotten: each is far above
// rounding.
TEST(CompareFolded, SeesWhatDiffersAndNamesTheLayer) {
  const Frozen frozen = FreezeNorms();
  for (const char* name : {"conv/bias", "deep/filter", "up/filter", "rows/bias"}) {
    Graph graph = frozen.graph;
    for (GraphTensor& tensor : graph.tensors) {
      if (tensor.name != name) continue;
      float value;
      std::memcpy(&value, &tensor.data[4], sizeof(value));
      value *= 1.001f;
      std::memcpy(&tensor.data[4], &value, sizeof(value));
    }
    const std::string layer = std::string(name).substr(0, std::string(name).find('/'));
    QAT_EXPECT_ERROR(CheckFolded(CompareFolded(frozen.checkpoint, frozen.network, graph)),
                     ErrorCode::kInternal,
                     "layer '" + layer + "': filter and batch norm folded into one differ by ");
  }
  Graph other = frozen.network;
  other.nodes[1].batch_norm->epsilon = 1e-3f;
  QAT_EXPECT_ERROR(CheckFolded(CompareFolded(frozen.checkpoint, other, frozen.graph)), ErrorCode::kInternal,
                   "layer 'deep'");
}

}  // namespace
}  // namespace qat
