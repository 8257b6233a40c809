// tiny_checkpoint.h: the checkpoint whose frozen form TinyGraph() is, written down independently.
#ifndef QAT_TESTS_SUPPORT_TINY_CHECKPOINT_H_
#define QAT_TESTS_SUPPORT_TINY_CHECKPOINT_H_

#include "checkpoint/checkpoint.h"
#include "support/network_of.h"
#include "support/tiny_graph.h"

namespace qat::testing {

inline constexpr char kTinySpec[] = R"(
name = "tiny"
[input]
height = 4
width = 4
channels = 1
[[layer]]
name = "conv"
op = "conv_2d"
filters = 2
kernel = 3
activation = "relu"
[[layer]]
name = "pool"
op = "max_pool_2d"
[[layer]]
name = "flatten"
op = "reshape"
[[layer]]
name = "dropout"
op = "dropout"
keep = 0.5
[[layer]]
name = "fc"
op = "fully_connected"
units = 3
)";

inline Checkpoint TinyCheckpoint() {
  Checkpoint c;
  c.step = 900;
  c.scheme = "uint8";
  c.network = NetworkOf(kTinySpec);
  c.contract = {4, 4, 1, {0.0f}, {255.0f}, {"zero", "one", "two"}};
  c.tensors["conv/filter"] = {{2, 3, 3, 1}, Ramp(18, -0.5f, 0.0625f)};
  c.tensors["conv/bias"] = {{2}, {0.25f, -0.125f}};
  c.tensors["fc/filter"] = {{3, 8}, Ramp(24, 0.75f, -0.0625f)};
  c.tensors["fc/bias"] = {{3}, {0, 1, -1}};
  c.ranges["conv/filter"] = {{-0.5f, 0.5625f}, 0};
  c.ranges["fc/filter"] = {{-0.6875f, 0.75f}, 0};
  c.ranges["conv"] = {{0, 2.5f}, 0.01f};
  c.ranges["fc"] = {{-3, 5}, 0.02f};
  c.metrics["fake_quantize"] = 1;
  c.provenance["data_sha256"] = "00ff";
  return c;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_TINY_CHECKPOINT_H_
