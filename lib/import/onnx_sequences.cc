#include "import/onnx_sequences.h"

#include <algorithm>

#include "base/strings.h"

namespace qat {

bool OnnxSequences::Handles(std::string_view op) {
  return op == "SplitToSequence" || op == "SequenceConstruct" || op == "SequenceAt" ||
         op == "ConcatFromSequence" || op == "SequenceLength";
}

Converted OnnxSequences::Convert(OnnxConversion& c, const OnnxNode& node) {
  const std::string& op = node.node.op;
  std::vector<OnnxValue>& made = lists_[node.node.outputs[0]];
  if (op == "SplitToSequence") {
    QAT_ASSIGN_OR_RETURN(made, Cut(c, node));
    return std::vector<OnnxValue>();
  }
  if (op == "SequenceConstruct") {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.Has(i)) return InvalidArgument(StrCat("has no input ", i));
    }
    made = node.inputs;
    return std::vector<OnnxValue>();
  }
  lists_.erase(node.node.outputs[0]);
  const auto found = node.node.inputs.empty() ? lists_.end() : lists_.find(node.node.inputs[0]);
  if (found == lists_.end()) return InvalidArgument("reads no list of values");
  const std::vector<OnnxValue>& list = found->second;
  if (op == "SequenceLength") return std::vector<OnnxValue>{MakeIntegers({std::ssize(list)})};
  if (op == "ConcatFromSequence") return Joined(c, node, list);
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> places, node.Integers(1, "position"));
  const int64_t count = std::ssize(list), place = places.size() == 1 ? places[0] : count;
  if (place < -count || place >= count) return InvalidArgument(StrCat("reads entry ", place, " of ", count));
  return std::vector<OnnxValue>{list[static_cast<size_t>(place < 0 ? place + count : place)]};
}

Converted OnnxSequences::Cut(OnnxConversion& c, const OnnxNode& node) const {
  if (!node.Has(0) || node.In(0).is_constant())
    return Unsupported("cuts a constant; fold it before the export");
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 0), x.rank()));
  const int32_t size = x.shape[static_cast<size_t>(axis)];
  std::vector<int32_t> parts;
  if (node.Has(1)) {
    QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> given, node.Integers(1, "split"));
    const bool each = node.In(1).rank() == 0;
    for (int32_t left = size; each && left > 0; left -= parts.back())
      parts.push_back(static_cast<int32_t>(std::clamp<int64_t>(given.empty() ? size : given[0], 1, left)));
    for (const int64_t part : each ? std::vector<int64_t>() : given)
      parts.push_back(static_cast<int32_t>(std::clamp<int64_t>(part, 0, size)));
  } else {
    parts.assign(static_cast<size_t>(size), 1);
  }
  int64_t sum = 0;
  for (const int32_t part : parts) sum += part < 1 ? size + int64_t{1} : part;
  if (sum != size) return InvalidArgument(StrCat("its parts are not those of ", size, " values"));
  QAT_ASSIGN_OR_RETURN(std::vector<OnnxValue> values, c.build.Split(x, axis, parts));
  if (node.Has(1) || node.Int("keepdims", 1) != 0) return values;
  for (OnnxValue& value : values) {
    Shape shape = value.shape;
    shape.erase(shape.begin() + axis);
    QAT_ASSIGN_OR_RETURN(value, c.build.Reshape(value, shape));
  }
  return values;
}

Converted OnnxSequences::Joined(OnnxConversion& c, const OnnxNode& node,
                                const std::vector<OnnxValue>& list) const {
  if (list.empty()) return InvalidArgument("joins an empty list");
  const bool stacks = node.Int("new_axis", 0) != 0;
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 0), list[0].rank() + (stacks ? 1 : 0)));
  std::vector<OnnxValue> parts = list;
  for (OnnxValue& part : parts) {
    if (part.is_constant()) return Unsupported("joins a constant; fold it before the export");
    if (part.rank() != list[0].rank()) return InvalidArgument("joins values of different ranks");
    if (!stacks) continue;
    Shape shape = part.shape;
    shape.insert(shape.begin() + axis, 1);
    QAT_ASSIGN_OR_RETURN(part, c.build.Reshape(part, shape));
  }
  for (const OnnxValue& part : parts) {
    for (size_t i = 0; i < part.rank(); ++i) {
      if (static_cast<int32_t>(i) != axis && part.shape[i] != parts[0].shape[i])
        return InvalidArgument(StrCat("joins ", ToString(parts[0].shape), " and ", ToString(part.shape)));
    }
  }
  return One(c.build.Concat(std::move(parts), axis));
}

}  // namespace qat
