#include "ops/pads.h"

#include <algorithm>

#include "ops/keys.h"

namespace qat {

Expected<std::vector<int32_t>> ToPads(const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(std::vector<int32_t> pads, keys::ToList(value, 10, 0, 1 << 20, kPadsText));
  if (pads.size() % 2 != 0) return keys::Mismatch(value, kPadsText);
  return pads;
}

std::vector<IndexOperand> PadsOperand(const std::vector<int32_t>& pads, const Shape& input) {
  std::vector<int32_t> values = {0, 0};
  values.insert(values.end(), pads.begin(), pads.end());
  const auto rank = std::max(input.size(), values.size() / 2);
  values.resize(2 * rank);
  return {{"pads", {static_cast<int32_t>(rank), 2}, values}};
}

}  // namespace qat
