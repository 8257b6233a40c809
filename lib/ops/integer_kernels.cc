#include "ops/integer_kernels.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/strings.h"

namespace qat {

bool RunsUnder(OpType type, Scheme scheme) {
  if (scheme == Scheme::kUInt8) return DefinitionOf(type).runs_uint8;
  if (scheme == Scheme::kInt8) return DefinitionOf(type).runs_int8;
  return true;
}

Status ExpectIntegerKernels(std::span<const PlacedOp> ops, Scheme scheme) {
  std::vector<std::string> refused;
  std::set<OpType> types;
  for (const PlacedOp& op : ops) {
    if (RunsUnder(op.type, scheme)) continue;
    refused.push_back(StrCat("'", op.name, "' (", DefinitionOf(op.type).name, ")"));
    types.insert(op.type);
  }
  if (refused.empty()) return {};
  std::string advice;
  for (const OpType type : types) {
    const OpDefinition& op = DefinitionOf(type);
    if (!op.instead.empty()) advice += StrCat("; instead of ", op.name, ", ", op.instead);
  }
  const bool int8 = scheme == Scheme::kUInt8 && std::all_of(types.begin(), types.end(), [](OpType type) {
                      return RunsUnder(type, Scheme::kInt8);
                    });
  return Unsupported(StrCat("no kernel of TFLite computes ", Join(refused), " on ", NameOf(scheme), "; use the scheme ",
                            int8 ? "int8 or float32" : "float32", advice));
}

}  // namespace qat
