#include <array>

#include "ops/op.h"

namespace qat {

OpDefinition::OpDefinition() = default;

// Each family's file defines one function per operator.
#define QAT_OP(enumerator, stem, name, tflite_name) const OpDefinition& enumerator##Definition();
#include "ops/op_list.inc"
#undef QAT_OP

std::span<const OpDefinition* const> AllOps() {
  static const std::array kAll = {
#define QAT_OP(enumerator, stem, name, tflite_name) &enumerator##Definition(),
#include "ops/op_list.inc"
#undef QAT_OP
  };
  return kAll;
}

Expected<std::vector<Shape>> InferShapes(const OpDefinition& definition, const OpAttributes& attributes,
                                         std::span<const Operand> inputs) {
  if (definition.infer_shapes != nullptr) return definition.infer_shapes(attributes, inputs);
  QAT_ASSIGN_OR_RETURN(Shape shape, definition.infer_shape(attributes, inputs));
  return std::vector<Shape>{std::move(shape)};
}

DType OutputType(const OpDefinition& definition, const OpAttributes& attributes,
                 std::span<const Operand> inputs) {
  return definition.output_type == nullptr ? inputs[static_cast<size_t>(definition.data_input)].type
                                           : definition.output_type(attributes);
}

const OpDefinition& DefinitionOf(OpType type) { return *AllOps()[static_cast<size_t>(type)]; }

bool IsTrainable(OpType type) {
  constexpr std::array kTrainable = {
#define QAT_OP(enumerator, stem, name, tflite_name) true,
#define QAT_RUN_OP(enumerator, stem, name, tflite_name) false,
#include "ops/op_list.inc"
#undef QAT_OP
  };
  return kTrainable[static_cast<size_t>(type)];
}

bool IsInSpecs(OpType type) {
  return IsTrainable(type) && type != OpType::kSplitV && type != OpType::kArgMax;
}

const OpDefinition* FindOpByName(std::string_view name) {
  for (const OpDefinition* op : AllOps()) {
    if (op->name == name) return op;
  }
  return nullptr;
}

const OpDefinition* FindOpByBuiltin(int32_t builtin_code) {
  for (const OpDefinition* op : AllOps()) {
    if (op->builtin_code >= 0 && op->builtin_code == builtin_code) return op;
  }
  return nullptr;
}

}  // namespace qat
