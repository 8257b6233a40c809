// tiny.h: a network and a data set small enough to train in a test.
#ifndef QAT_TESTS_TRAIN_TINY_H_
#define QAT_TESTS_TRAIN_TINY_H_

#include <string>
#include <utility>

#include "base/random.h"
#include "data/dataset.h"
#include "spec/train_config.h"
#include "support/network_of.h"

namespace qat::testing {

inline constexpr char kTinySpec[] = R"(
name = "tiny"
[input]
height = 8
width = 8
channels = 1
[[layer]]
name = "conv1"
op = "conv_2d"
filters = 4
kernel = 3
stride = 2
padding = "same"
activation = "relu"
[[layer]]
name = "pool1"
op = "max_pool_2d"
[[layer]]
name = "flatten"
op = "reshape"
[[layer]]
name = "fc1"
op = "fully_connected"
units = 12
activation = "relu6"
[[layer]]
name = "drop"
op = "dropout"
keep = 0.8
[[layer]]
name = "logits"
op = "fully_connected"
units = 4
)";

inline Graph Parsed(const std::string& text) { return NetworkOf(text); }

inline const Shape& InputShape(const Graph& network) { return network.tensor(network.inputs[0]).shape; }
inline const Shape& OutputShape(const Graph& network) { return network.tensor(network.outputs[0]).shape; }

/// One layer behind an input [1, height, width, channels]; `body` holds the keys behind name.
inline Graph OneLayer(int height, int width, int channels, const std::string& body) {
  return Parsed("name = \"one\"\n[input]\nheight = " + std::to_string(height) +
                "\nwidth = " + std::to_string(width) + "\nchannels = " + std::to_string(channels) +
                "\n[[layer]]\nname = \"layer\"\n" + body + "\n");
}

/// Images of 8x8 with noise everywhere and one bright quarter: the label says which.
inline Dataset Quarters(int64_t count, uint64_t seed) {
  Dataset data;
  data.name = "quarters";
  data.input().height = data.input().width = 8;
  data.input().channels = 1;
  data.class_names = {"a", "b", "c", "d"};
  Random random(seed);
  for (int64_t n = 0; n < count; ++n) {
    const int32_t label = random.Between(0, 3);
    data.labels.push_back(label);
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) {
        const bool bright = y / 4 * 2 + x / 4 == label;
        data.images.push_back(static_cast<uint8_t>(random.Between(0, 120) + (bright ? 60 : 0)));
      }
    }
  }
  return data;
}

inline TrainConfig TinyConfig() {
  TrainConfig config;
  config.network = "tiny";
  config.steps = 60;
  config.batch_size = 16;
  config.learning_rate = 5e-3;
  config.quant_delay = 25;
  config.shift_pixels = 1;
  config.holdout = 50;
  config.log_every = 7;
  config.eval_every = 10;
  config.checkpoint_every = 10;
  config.threads = 1;
  return config;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_TRAIN_TINY_H_
