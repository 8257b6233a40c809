// trainable_graph.h: a fixture that trains what was made as a graph, as an import makes it, for each scheme
// of 8 bits.
#ifndef QAT_TESTS_TRAIN_TRAINABLE_GRAPH_H_
#define QAT_TESTS_TRAIN_TRAINABLE_GRAPH_H_

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/random.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/make_trainable.h"
#include "support/test_util.h"
#include "train/network.h"

namespace qat::testing {

/// From -size to size, the same for a seed.
inline std::vector<float> Drawn(int64_t count, uint64_t seed, float size = 1) {
  Random random(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = size * static_cast<float>(random.Uniform() * 2 - 1);
  return values;
}

class TrainableGraph : public ::testing::TestWithParam<Scheme> {
 protected:
  /// Its checkpoint as it comes back from its file, since what only memory holds must not matter; and so many
  /// random bytes as images.
  void Make(const Graph& graph, int64_t bytes) {
    QAT_ASSERT_OK(Verify(graph));
    auto checkpoint = MakeTrainable(graph);
    QAT_ASSERT_OK(checkpoint);
    auto read = ParseCheckpoint(Serialize(*checkpoint), "graph.ckpt");
    QAT_ASSERT_OK(read);
    checkpoint_ = *std::move(read);
    auto network = Network::FromCheckpoint(checkpoint_);
    QAT_ASSERT_OK(network);
    network_ = *std::move(network);
    Random random(11);
    bytes_.resize(static_cast<size_t>(bytes));
    for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(random.Between(0, 255));
  }

  Checkpoint checkpoint_;
  std::unique_ptr<Network> network_;
  Bytes bytes_;
};

}  // namespace qat::testing

#endif  // QAT_TESTS_TRAIN_TRAINABLE_GRAPH_H_
