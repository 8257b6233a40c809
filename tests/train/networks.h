// networks.h: small networks of every usual shape, written as a user would, on images of 8x8 or signals of
// 1x64.
#ifndef QAT_TESTS_TRAIN_NETWORKS_H_
#define QAT_TESTS_TRAIN_NETWORKS_H_

namespace qat::testing {

// A shortcut between unequal channels and resolutions.
inline constexpr char kResidualSpec[] = R"(
name = "residual"
[input]
height = 8
width = 8
channels = 1
[[layer]]
name = "stem"
op = "conv_2d"
filters = 6
kernel = 3
batch_norm = true
activation = "relu"
[[layer]]
name = "conv1"
op = "conv_2d"
filters = 10
kernel = 3
stride = 2
batch_norm = true
activation = "relu"
[[layer]]
name = "conv2"
op = "conv_2d"
filters = 10
kernel = 3
batch_norm = true
[[layer]]
name = "shortcut"
op = "conv_2d"
inputs = ["stem"]
filters = 10
kernel = 1
stride = 2
batch_norm = true
[[layer]]
name = "sum"
op = "add"
inputs = ["conv2", "shortcut"]
activation = "relu"
[[layer]]
name = "pool"
op = "mean"
[[layer]]
name = "logits"
op = "fully_connected"
units = 4
)";

// Four branches side by side, joined by a concatenation.
inline constexpr char kInceptionSpec[] = R"(
name = "inception"
[input]
height = 8
width = 8
channels = 1
[[layer]]
name = "stem"
op = "conv_2d"
filters = 6
kernel = 3
activation = "relu"
[[layer]]
name = "one"
op = "conv_2d"
inputs = ["stem"]
filters = 4
kernel = 1
activation = "relu"
[[layer]]
name = "three_in"
op = "conv_2d"
inputs = ["stem"]
filters = 3
kernel = 1
activation = "relu"
[[layer]]
name = "three"
op = "conv_2d"
filters = 5
kernel = 3
activation = "relu6"
[[layer]]
name = "pool"
op = "max_pool_2d"
inputs = ["stem"]
window = 3
stride = 1
padding = "same"
[[layer]]
name = "pool_out"
op = "conv_2d"
filters = 3
kernel = 1
[[layer]]
name = "average"
op = "average_pool_2d"
inputs = ["stem"]
window = 3
stride = 1
padding = "same"
[[layer]]
name = "mixed"
op = "concatenation"
inputs = ["one", "three", "pool_out", "average"]
[[layer]]
name = "down"
op = "max_pool_2d"
[[layer]]
name = "logits"
op = "fully_connected"
units = 4
)";

// Down and up again with bridges, both ways of going up; classified by the mean of its maps.
inline constexpr char kUShapedSpec[] = R"(
name = "u_shaped"
[input]
height = 8
width = 8
channels = 1
[[layer]]
name = "down1"
op = "conv_2d"
filters = 5
kernel = 3
activation = "relu"
[[layer]]
name = "pool1"
op = "max_pool_2d"
[[layer]]
name = "down2"
op = "conv_2d"
filters = 7
kernel = 3
activation = "relu"
[[layer]]
name = "pool2"
op = "average_pool_2d"
[[layer]]
name = "bottom"
op = "conv_2d"
filters = 8
kernel = 3
activation = "relu"
[[layer]]
name = "up2"
op = "resize_bilinear"
scale = 2
[[layer]]
name = "bridge2"
op = "concatenation"
inputs = ["up2", "down2"]
[[layer]]
name = "conv2"
op = "conv_2d"
filters = 6
kernel = 3
activation = "relu"
[[layer]]
name = "up1"
op = "transpose_conv"
filters = 5
kernel = 2
stride = 2
activation = "relu"
[[layer]]
name = "bridge1"
op = "concatenation"
inputs = ["up1", "down1"]
[[layer]]
name = "maps"
op = "conv_2d"
filters = 4
kernel = 3
[[layer]]
name = "logits"
op = "mean"
)";

// A signal is an image of one row.
inline constexpr char kSignalSpec[] = R"(
name = "signal"
[input]
height = 1
width = 64
channels = 1
[[layer]]
name = "conv1"
op = "conv_2d"
filters = 6
kernel = [1, 7]
stride = [1, 2]
[[layer]]
name = "swish1"
op = "hard_swish"
[[layer]]
name = "depthwise"
op = "depthwise_conv_2d"
kernel = [1, 5]
padding = [0, 0, 2, 2]
batch_norm = true
[[layer]]
name = "swish2"
op = "hard_swish"
[[layer]]
name = "point"
op = "conv_2d"
filters = 8
kernel = 1
activation = "relu"
[[layer]]
name = "pool"
op = "average_pool_2d"
window = [1, 4]
stride = [1, 4]
[[layer]]
name = "logits"
op = "fully_connected"
units = 4
)";

// Channels weighted by what the whole image says of them.
inline constexpr char kSqueezeExciteSpec[] = R"(
name = "squeeze_excite"
[input]
height = 8
width = 8
channels = 1
[[layer]]
name = "conv"
op = "conv_2d"
filters = 8
kernel = 3
stride = 2
activation = "relu"
[[layer]]
name = "squeeze"
op = "mean"
keep_dims = true
[[layer]]
name = "reduce"
op = "conv_2d"
filters = 3
kernel = 1
activation = "relu"
[[layer]]
name = "expand"
op = "conv_2d"
filters = 8
kernel = 1
[[layer]]
name = "gate"
op = "logistic"
[[layer]]
name = "scaled"
op = "mul"
inputs = ["conv", "gate"]
[[layer]]
name = "logits"
op = "fully_connected"
units = 4
)";

// Everything that moves values or has a range of its own, in one network that is no chain.
inline constexpr char kPartsSpec[] = R"(
name = "parts"
[input]
height = 8
width = 8
channels = 1
[[layer]]
name = "conv"
op = "conv_2d"
filters = 8
kernel = 3
[[layer]]
name = "bent"
op = "prelu"
[[layer]]
name = "cut"
op = "split"
parts = [4, -1]
[[layer]]
name = "larger"
op = "maximum"
inputs = ["cut:0", "cut:1"]
[[layer]]
name = "smaller"
op = "minimum"
inputs = ["cut:0", "cut:1"]
[[layer]]
name = "spread"
op = "sub"
inputs = ["larger", "smaller"]
[[layer]]
name = "share"
op = "softmax"
inputs = ["larger"]
[[layer]]
name = "weighted"
op = "mul"
inputs = ["spread", "share"]
[[layer]]
name = "padded"
op = "pad"
pads = [1, 0, 0, 1]
[[layer]]
name = "every_second"
op = "strided_slice"
begin = [0, 1, 0]
end = [9, 9, 4]
strides = [2, 2, 1]
[[layer]]
name = "curve"
op = "tanh"
inputs = ["smaller"]
[[layer]]
name = "turned"
op = "transpose"
perm = [0, 2, 1, 3]
[[layer]]
name = "small"
op = "resize_nearest_neighbor"
size = [5, 4]
[[layer]]
name = "both"
op = "concatenation"
inputs = ["every_second", "small"]
[[layer]]
name = "leaky"
op = "leaky_relu"
alpha = 0.1
[[layer]]
name = "logits"
op = "fully_connected"
units = 4
)";

}  // namespace qat::testing

#endif  // QAT_TESTS_TRAIN_NETWORKS_H_
