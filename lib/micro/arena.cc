#include "micro/arena.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "ops/op.h"

namespace qat {
namespace {

constexpr size_t kAlignment = 16;

// Bytes on a 64-bit processor.
constexpr size_t kInterpreter = 544;  // allocators, planner and graph; up to 528 were measured
constexpr size_t kEvalTensor = 24;
constexpr size_t kNode = 64;
constexpr size_t kBorderTensor = 64 + 32;  // of an input or output: TfLiteTensor and its quantization
constexpr size_t kPerChannel = 8;          // multiplier and shift

size_t Aligned(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

/// Memory that is needed from one node to another, both included.
struct Buffer {
  size_t size = 0;
  size_t first = 0, last = 0;
  size_t offset = 0;
};

size_t BytesOf(const ModelTensor& tensor) {
  return static_cast<size_t>(FlatSize(tensor.shape)) * std::max<size_t>(SizeOf(tensor.type), 1);
}

const ModelTensor* TensorAt(const Model& model, const ModelNode& node, int32_t position) {
  if (position < 0 || static_cast<size_t>(position) >= node.inputs.size()) return nullptr;
  const int32_t index = node.inputs[static_cast<size_t>(position)];
  return index < 0 ? nullptr : &model.tensors()[static_cast<size_t>(index)];
}

/// What a kernel asks for while it runs, beside its tensors.
size_t ScratchOf(const Model& model, const ModelNode& node) {
  const ModelTensor& output = model.tensors()[static_cast<size_t>(node.outputs[0])];
  const auto values = static_cast<size_t>(FlatSize(output.shape));
  const ModelTensor* filter = TensorAt(model, node, DefinitionOf(node.type).filter_input);
  const bool four_bits = filter != nullptr && filter->file_type == DType::kInt4;
  switch (node.type) {
    case OpType::kTransposeConv:
      return values * (output.type == DType::kInt16 ? 8 : 4);
    case OpType::kMean:
    case OpType::kSum:
    case OpType::kReduceMax:
    case OpType::kReduceMin:
      return values * 4 + 128;
    case OpType::kBatchMatMul:
      return BytesOf(*TensorAt(model, node, 0)) + BytesOf(*TensorAt(model, node, 1));
    default:
      return four_bits ? static_cast<size_t>(FlatSize(filter->shape)) : 0;
  }
}

std::vector<Buffer> BuffersOf(const Model& model) {
  std::vector<std::optional<Buffer>> of_tensor(model.tensors().size());
  const auto use = [&](int32_t index, size_t when) {
    if (index < 0) return;
    const ModelTensor& tensor = model.tensors()[static_cast<size_t>(index)];
    if (tensor.is_constant) return;
    auto& buffer = of_tensor[static_cast<size_t>(index)];
    if (!buffer) buffer = Buffer{Aligned(BytesOf(tensor)), when, when};
    buffer->last = std::max(buffer->last, when);
  };
  const size_t end = model.nodes().size();
  for (const int32_t input : model.inputs()) use(input, 0);
  std::vector<Buffer> scratch;
  for (size_t i = 0; i < end; ++i) {
    const ModelNode& node = model.nodes()[i];
    for (const int32_t input : node.inputs) use(input, i);
    for (const int32_t output : node.outputs) use(output, i);
    if (const size_t bytes = ScratchOf(model, node); bytes > 0) scratch.push_back({Aligned(bytes), i, i});
  }
  for (const int32_t output : model.outputs()) use(output, end);
  std::vector<Buffer> buffers;
  for (const auto& buffer : of_tensor) {
    if (buffer) buffers.push_back(*buffer);
  }
  buffers.insert(buffers.end(), scratch.begin(), scratch.end());
  return buffers;
}

size_t PlaceGreedily(std::vector<Buffer> buffers) {
  std::reverse(buffers.begin(), buffers.end());  // of equal sizes the last one first
  std::stable_sort(buffers.begin(), buffers.end(),
                   [](const Buffer& a, const Buffer& b) { return a.size > b.size; });
  std::vector<Buffer> placed;  // by offset
  size_t most = 0;
  for (Buffer& buffer : buffers) {
    size_t offset = 0;
    for (const Buffer& other : placed) {
      if (other.last < buffer.first || buffer.last < other.first) continue;
      if (other.offset >= offset + buffer.size) break;
      offset = std::max(offset, other.offset + other.size);
    }
    buffer.offset = offset;
    most = std::max(most, offset + buffer.size);
    const auto place = std::upper_bound(placed.begin(), placed.end(), buffer,
                                        [](const Buffer& a, const Buffer& b) { return a.offset < b.offset; });
    placed.insert(place, buffer);
  }
  return most;
}

/// What a node keeps for itself.
size_t DataOf(const Model& model, const ModelNode& node) {
  const ModelTensor* filter = TensorAt(model, node, DefinitionOf(node.type).filter_input);
  const bool is_int16 = model.tensors()[static_cast<size_t>(node.outputs[0])].type == DType::kInt16;
  switch (node.type) {
    case OpType::kConv2D:
    case OpType::kDepthwiseConv2D:
    case OpType::kTransposeConv: {
      const auto axis = static_cast<size_t>(DefinitionOf(node.type).filter_channel_axis);
      return 144 + kPerChannel * static_cast<size_t>(filter == nullptr ? 0 : filter->shape[axis]);
    }
    case OpType::kFullyConnected: {
      const bool per_channel = filter != nullptr && filter->scale.size() > 1;
      return 112 + (per_channel ? kPerChannel * static_cast<size_t>(filter->shape[0]) : 0);
    }
    case OpType::kSoftmax:
      return is_int16 ? 2192 : 112;
    case OpType::kBatchMatMul:
      return 848;
    case OpType::kSquaredDifference:
    case OpType::kConcatenation:
    case OpType::kStridedSlice:
    case OpType::kAdd:
    case OpType::kSub:
    case OpType::kPad:
    case OpType::kPadV2:
      return 144;
    case OpType::kReshape:
    case OpType::kSqueeze:
    case OpType::kExpandDims:
    case OpType::kTranspose:
    case OpType::kSlice:
    case OpType::kReverseV2:
    case OpType::kMaximum:
    case OpType::kMinimum:
      return 32;
    default:
      return 80;
  }
}

}  // namespace

MicroArena EstimateArena(const Model& model) {
  MicroArena arena;
  arena.tensors = PlaceGreedily(BuffersOf(model));
  size_t bytes = kInterpreter + kEvalTensor * model.tensors().size() + kNode * model.operators().size() +
                 kBorderTensor * (model.inputs().size() + model.outputs().size());
  for (const ModelNode& node : model.nodes()) bytes += DataOf(model, node);
  arena.structures = Aligned(bytes);
  return arena;
}

}  // namespace qat
