#include "spec/op_names.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/strings.h"
#include "ops/op.h"

namespace qat {
namespace {

struct Alias {
  std::string_view name;  // in small letters, without '_' and '-'
  std::string_view ours;
  std::string_view hint;  // may be empty
};

constexpr Alias kAliases[] = {
    {"conv", "conv_2d", ""},
    {"conv2d", "conv_2d", ""},
    {"convolution", "conv_2d", ""},
    {"convolution2d", "conv_2d", ""},
    {"pointwiseconv", "conv_2d", "with kernel = 1"},
    {"depthwiseconv", "depthwise_conv_2d", ""},
    {"depthwiseconv2d", "depthwise_conv_2d", ""},
    {"conv2dtranspose", "transpose_conv", ""},
    {"convtranspose2d", "transpose_conv", ""},
    {"transposeconv2d", "transpose_conv", ""},
    {"deconv", "transpose_conv", ""},
    {"dense", "fully_connected", ""},
    {"linear", "fully_connected", ""},
    {"fc", "fully_connected", ""},
    {"gemm", "fully_connected", ""},
    {"maxpool", "max_pool_2d", ""},
    {"maxpool2d", "max_pool_2d", ""},
    {"maxpooling2d", "max_pool_2d", ""},
    {"avgpool", "average_pool_2d", ""},
    {"avgpool2d", "average_pool_2d", ""},
    {"averagepooling2d", "average_pool_2d", ""},
    {"globalmaxpool", "reduce_max", ""},
    {"globalmaxpool2d", "reduce_max", ""},
    {"globalmaxpooling2d", "reduce_max", ""},
    {"globalaveragepool", "mean", "which takes the mean over the image"},
    {"globalaveragepool2d", "mean", "which takes the mean over the image"},
    {"globalaveragepooling2d", "mean", "which takes the mean over the image"},
    {"globalavgpool", "mean", "which takes the mean over the image"},
    {"globalavgpool2d", "mean", "which takes the mean over the image"},
    {"adaptiveavgpool2d", "mean", "which takes the mean over the image"},
    {"reducemean", "mean", ""},
    {"flatten", "reshape", "which flattens where no shape is given"},
    {"view", "reshape", ""},
    {"concat", "concatenation", ""},
    {"concatenate", "concatenation", ""},
    {"cat", "concatenation", ""},
    {"addn", "add", "which takes two inputs"},
    {"multiply", "mul", ""},
    {"subtract", "sub", ""},
    {"max", "maximum", ""},
    {"min", "minimum", ""},
    {"batchnorm2d", "batch_norm", ""},
    {"batchnormalization", "batch_norm", ""},
    {"bn", "batch_norm", ""},
    {"sigmoid", "logistic", ""},
    {"hswish", "hard_swish", ""},
    {"parametricrelu", "prelu", ""},
    {"clip", "relu6", "or relu_n1_to_1"},
    {"permute", "transpose", ""},
    {"unsqueeze", "expand_dims", ""},
    {"zeropadding2d", "pad", ""},
    {"zeropad2d", "pad", ""},
    {"constantpad2d", "pad", ""},
    {"padv2", "pad", ""},
    {"cropping2d", "slice", ""},
    {"crop", "slice", ""},
    {"splitv", "split", "with parts = [size, size, …]"},
    {"chunk", "split", ""},
    {"upsample", "resize_nearest_neighbor", "or resize_bilinear"},
    {"upsampling2d", "resize_nearest_neighbor", "or resize_bilinear"},
    {"resize", "resize_bilinear", "or resize_nearest_neighbor"},
    {"interpolate", "resize_bilinear", "or resize_nearest_neighbor"},
    {"resizenearest", "resize_nearest_neighbor", ""},
    {"reducesum", "sum", ""},
    {"reduceminimum", "reduce_min", ""},
    {"reduceproduct", "reduce_prod", ""},
    {"divide", "div", "which takes two inputs"},
    {"power", "pow", "which takes two inputs"},
    {"negative", "neg", ""},
    {"matmul", "batch_matmul", "which takes two inputs"},
    {"dot", "batch_matmul", "which takes two inputs"},
    {"einsum", "batch_matmul", "with transposes in front of it"},
    {"logsoftmax", "log_softmax", ""},
    {"l2norm", "l2_normalization", ""},
    {"normalize", "l2_normalization", ""},
    {"unitnormalization", "l2_normalization", ""},
    {"pixelshuffle", "depth_to_space", ""},
    {"pixelunshuffle", "space_to_depth", ""},
    {"stack", "pack", ""},
    {"take", "gather", ""},
    {"indexselect", "gather", ""},
    {"repeat", "tile", ""},
    {"expand", "broadcast_to", ""},
    {"flip", "reverse_v2", ""},
    {"reverse", "reverse_v2", ""},
    {"reflectionpad2d", "mirror_pad", ""},
    {"fakequant", "quantize", "where a range of its own is wanted; else leave it out, training places it"},
};

constexpr std::string_view kNoIntegerActivation =
    "has no integer form in TFLite; use leaky_relu, relu6 or hard_swish";
constexpr std::string_view kSwish = "is two layers; write logistic, then mul of it and its input";
constexpr std::string_view kRecurrent =
    "keeps a state between steps, which is not trained here; use convolutions over time: conv_2d with kernel "
    "= [1, N]";
constexpr std::string_view kComputedProduct =
    "is several layers; write batch_matmul, softmax and batch_matmul again, with fully_connected or conv_2d "
    "in front "
    "of them";
constexpr std::string_view kNormalization =
    "needs the statistics of each example and is several layers: mean, squared_difference, mean, rsqrt, sub "
    "and mul, "
    "with the scheme int8 or float32; batch_norm is folded away and costs nothing";
constexpr std::string_view kThreeAxes =
    "has three spatial axes, TFLite's integer kernels have two; put the third one into the channels";
constexpr std::string_view kOneAxis = "has one spatial axis; write a signal as an image of height 1 and use ";
constexpr std::string_view kNoGradient =
    "cannot be trained through; leave it out, end with the logits and let qat-convert append the argmax";

struct Refusal {
  std::string_view name;  // as above
  std::string_view why;
  std::string_view more = "";
};

constexpr Refusal kRefusals[] = {
    {"selu", kNoIntegerActivation},
    {"celu", kNoIntegerActivation},
    {"swish", kSwish},
    {"silu", kSwish},
    {"mish", kNoIntegerActivation},
    {"softplus", kNoIntegerActivation},
    {"softsign", kNoIntegerActivation},
    {"hardsigmoid", "has no operator in TFLite; use logistic, or hard_swish where it gates its own input"},
    {"hardtanh", "has no operator in TFLite; use relu_n1_to_1, which is the same"},
    {"lstm", kRecurrent},
    {"gru", kRecurrent},
    {"rnn", kRecurrent},
    {"simplernn", kRecurrent},
    {"bidirectional", kRecurrent},
    {"convlstm2d", kRecurrent},
    {"attention", kComputedProduct},
    {"multiheadattention", kComputedProduct},
    {"layernorm", kNormalization},
    {"layernormalization", kNormalization},
    {"groupnorm", kNormalization},
    {"groupnormalization", kNormalization},
    {"instancenorm", kNormalization},
    {"instancenorm2d", kNormalization},
    {"instancenormalization", kNormalization},
    {"rmsnorm", kNormalization},
    {"lrn", kNormalization},
    {"localresponsenormalization", kNormalization},
    {"conv3d", kThreeAxes},
    {"maxpool3d", kThreeAxes},
    {"averagepool3d", kThreeAxes},
    {"conv3dtranspose", kThreeAxes},
    {"conv1d", kOneAxis, "conv_2d with kernel = [1, N]"},
    {"depthwiseconv1d", kOneAxis, "depthwise_conv_2d with kernel = [1, N]"},
    {"maxpool1d", kOneAxis, "max_pool_2d with window = [1, N]"},
    {"maxpooling1d", kOneAxis, "max_pool_2d with window = [1, N]"},
    {"averagepool1d", kOneAxis, "average_pool_2d with window = [1, N]"},
    {"averagepooling1d", kOneAxis, "average_pool_2d with window = [1, N]"},
    {"separableconv2d", "is two layers; write depthwise_conv_2d, then conv_2d with kernel = 1"},
    {"channelshuffle", "is three layers; write reshape, transpose, reshape"},
    {"embedding", "looks rows up, which is not trained here; embed before the network and feed it the rows"},
    {"argmax", kNoGradient},
    {"cast", "has no place in a network of reals; the converter chooses the types"},
    {"dequantize", "has no place in a network of reals; the converter places it"},
};

struct KeyAlias {
  std::string_view key;
  std::string_view ours;
};

constexpr KeyAlias kKeyAliases[] = {
    {"kernel_size", "kernel"},
    {"ksize", "kernel"},
    {"out_channels", "filters"},
    {"num_filters", "filters"},
    {"channels", "filters"},
    {"strides", "stride"},
    {"dilation_rate", "dilation"},
    {"dilations", "dilation"},
    {"depth_multiplier", "multiplier"},
    {"pool_size", "window"},
    {"kernel", "window"},
    {"size", "window"},
    {"out_features", "units"},
    {"num_units", "units"},
    {"rate", "keep"},
    {"axis", "axes"},
    {"input", "inputs"},
    {"type", "op"},
    {"target_shape", "shape"},
    {"negative_slope", "alpha"},
    {"scale_factor", "scale"},
    {"paddings", "pads"},
    {"num_splits", "parts"},
    {"keepdims", "keep_dims"},
    {"permutation", "perm"},
    {"scale", "size"},
};

std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c != '_' && c != '-') folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return folded;
}

std::vector<std::string> SpecNames() {
  std::vector<std::string> names;
  for (const OpDefinition* op : AllOps()) {
    if (IsInSpecs(op->type)) names.emplace_back(op->name);
  }
  return names;
}

}  // namespace

Error ExplainUnknownOp(std::string_view name) {
  const std::string folded = Folded(name);
  for (const Refusal& refusal : kRefusals) {
    if (refusal.name == folded) return Unsupported(StrCat(name, " ", refusal.why, refusal.more));
  }
  for (const Alias& alias : kAliases) {
    if (alias.name != folded) continue;
    return InvalidArgument(StrCat("unknown op '", name, "'; did you mean '", alias.ours, "'",
                                  alias.hint.empty() ? "" : ", ", alias.hint, "?"));
  }
  const std::vector<std::string> names = SpecNames();
  for (const std::string& ours : names) {
    if (Folded(ours) == folded)
      return InvalidArgument(StrCat("unknown op '", name, "'; did you mean '", ours, "'?"));
  }
  return InvalidArgument(StrCat(UnknownName("op", name, names), " (expected one of ", Join(names), ")"));
}

std::string_view UsualKey(std::string_view key, std::span<const std::string> known) {
  for (const KeyAlias& alias : kKeyAliases) {
    if (alias.key == key && std::find(known.begin(), known.end(), alias.ours) != known.end())
      return alias.ours;
  }
  return {};
}

}  // namespace qat
