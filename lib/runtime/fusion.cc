#include "runtime/fusion.h"

#include <algorithm>

namespace qat {
namespace {

bool Among(const std::vector<int32_t>& tensors, int32_t tensor) {
  return std::find(tensors.begin(), tensors.end(), tensor) != tensors.end();
}

// The only node that reads `tensor`; none if another node or the caller reads it, too.
std::optional<size_t> OnlyReader(const Model& model, int32_t tensor) {
  std::optional<size_t> reader;
  if (Among(model.outputs(), tensor)) return reader;
  for (size_t i = 0; i < model.nodes().size(); ++i) {
    if (!Among(model.nodes()[i].inputs, tensor)) continue;
    if (reader.has_value()) return std::nullopt;
    reader = i;
  }
  return reader;
}

}  // namespace

std::optional<size_t> MaxPoolAfter(const Model& model, size_t node) {
  const ModelNode& conv = model.nodes()[node];
  if (conv.type != OpType::kConv2D || conv.outputs.size() != 1) return std::nullopt;
  const std::optional<size_t> reader = OnlyReader(model, conv.outputs[0]);
  if (!reader.has_value() || model.nodes()[*reader].type != OpType::kMaxPool2D) return std::nullopt;
  return reader;
}

}  // namespace qat
