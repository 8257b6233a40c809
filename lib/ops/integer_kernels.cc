#include "ops/integer_kernels.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/strings.h"
#include "quant/precision.h"

namespace qat {

// Versions    tflite/converter/tools/versioning/op_version.cc, where a version is one that the reference
// kernels of the pinned
//             interpreter register; releases: runtime_version.cc. Operators that it prepares and we do not
//             run are left out (prelu, sum, gelu, comparisons), as those whose kernel takes the integers for
//             numbers (neg).
TypedVersion Int16VersionOf(OpType type) {
  switch (type) {
    case OpType::kReshape:
    case OpType::kShape:
    case OpType::kSqueeze:
      return {1, "1.10.0"};
    case OpType::kSplitV:
    case OpType::kStridedSlice:
    case OpType::kExpandDims:
      return {1, "2.3.0"};
    case OpType::kSelect:
    case OpType::kSelectV2:
      return {1, "2.2.0"};
    case OpType::kReverseV2:
      return {1, "2.5.0"};
    case OpType::kTile:
      return {1, "2.8.0"};
    case OpType::kQuantize:
      return {2, "1.15.0"};
    case OpType::kTransposeConv:
    case OpType::kLeakyRelu:
      return {2, "2.3.0"};
    case OpType::kExp:
      return {2, "2.12.0"};
    case OpType::kLog:
      return {2, "2.15.0"};
    case OpType::kSqrt:
      return {2, "2.21.0"};
    case OpType::kDequantize:
      return {3, "1.15.0"};
    case OpType::kMaxPool2D:
    case OpType::kAveragePool2D:
    case OpType::kSoftmax:
    case OpType::kLogistic:
    case OpType::kTanh:
    case OpType::kConcatenation:
    case OpType::kPack:
      return {3, "2.3.0"};
    case OpType::kAdd:
    case OpType::kMean:
    case OpType::kPad:
    case OpType::kPadV2:
    case OpType::kBatchMatMul:
      return {3, "2.4.0"};
    case OpType::kRelu:
    case OpType::kRelu6:
    case OpType::kReduceMax:
    case OpType::kReduceMin:
    case OpType::kAbs:
    case OpType::kGatherNd:
    case OpType::kBroadcastTo:
      return {3, "2.5.0"};
    case OpType::kMirrorPad:
      return {3, "2.12.0"};
    case OpType::kRsqrt:
      return {3, "2.15.0"};
    case OpType::kConv2D:
    case OpType::kMul:
    case OpType::kMaximum:
    case OpType::kMinimum:
    case OpType::kSplit:
    case OpType::kUnpack:
      return {4, "2.3.0"};
    case OpType::kSlice:
    case OpType::kGather:
    case OpType::kResizeNearestNeighbor:
      return {4, "2.4.0"};
    case OpType::kResizeBilinear:
      return {4, "2.5.0"};
    case OpType::kSpaceToBatchNd:
    case OpType::kBatchToSpaceNd:
      return {4, "2.12.0"};
    case OpType::kDepthwiseConv2D:
      return {5, "2.3.0"};
    case OpType::kSub:
    case OpType::kTranspose:
      return {5, "2.4.0"};
    case OpType::kFullyConnected:
      return {7, "2.3.0"};
    default:
      return {};
  }
}

TypedVersion Int4VersionOf(OpType type) {
  // Of depthwise convolutions the converter's rule says 7; the list of reference kernels ends at 6, and a
  // release without the type refuses the file anyway.
  if (type == OpType::kDepthwiseConv2D) return {3, "2.11.0"};
  if (type == OpType::kConv2D) return {7, "2.11.0"};
  return type == OpType::kFullyConnected ? TypedVersion{10, "2.11.0"} : TypedVersion{};
}

TypedVersion Int4HybridVersionOf(OpType type) {
  if (type == OpType::kConv2D) return {5, "2.17.0"};
  return type == OpType::kFullyConnected ? TypedVersion{12, "2.17.0"} : TypedVersion{};
}

bool RunsOn(OpType type, DType activations) {
  const OpDefinition& op = DefinitionOf(type);
  if (activations == DType::kUInt8) return op.runs_uint8;
  if (activations == DType::kInt8) return op.runs_int8;
  return activations != DType::kInt16 || Int16VersionOf(type).version > 0;
}

bool RunsUnder(OpType type, Scheme scheme) { return RunsOn(type, PrecisionsOf(scheme).activations.type); }

bool TakesFourBits(OpType type) { return Int4VersionOf(type).version > 0; }

Precision FilterPrecision(OpType type, const Precisions& precisions) {
  return precisions.filters.bits < 8 && !TakesFourBits(type) ? WithBits(precisions.filters, 8)
                                                             : precisions.filters;
}

// Asked of the reference kernels of the pinned interpreter: 15,000 random models of every operator and their
// copies 128 higher.
// tests/conformance/compare_twins.py asks again, of whole networks.
std::string_view TwinObstacle(OpType type) {
  switch (type) {
    case OpType::kResizeBilinear:
      return "uint8 is computed in float32, int8 with weights of 10 bits";
    case OpType::kL2Normalization:
      return "the two kernels round differently";
    case OpType::kSum:
      return "TFLite's reference kernel takes int8 for uint8";
    case OpType::kCast:
      return "it takes the bytes for numbers";
    default:
      return "";
  }
}

Status ExpectIntegerKernels(std::span<const PlacedOp> ops, Scheme scheme) {
  return ExpectIntegerKernels(ops, PrecisionsOf(scheme).activations.type);
}

Status ExpectIntegerKernels(std::span<const PlacedOp> ops, DType activations) {
  std::vector<std::string> refused;
  std::set<OpType> types;
  for (const PlacedOp& op : ops) {
    if (RunsOn(op.type, activations)) continue;
    refused.push_back(StrCat("'", op.name, "' (", DefinitionOf(op.type).name, ")"));
    types.insert(op.type);
  }
  if (refused.empty()) return {};
  std::string advice;
  for (const OpType type : types) {
    const OpDefinition& op = DefinitionOf(type);
    if (!op.instead.empty()) advice += StrCat("; instead of ", op.name, ", ", op.instead);
  }
  const bool int8 = activations != DType::kInt8 && std::all_of(types.begin(), types.end(), [](OpType type) {
                      return RunsOn(type, DType::kInt8);
                    });
  return Unsupported(StrCat("no kernel of TFLite computes ", Join(refused), " on ", NameOf(activations),
                            "; use the scheme ", int8 ? "int8 or float32" : "float32", advice));
}

}  // namespace qat
