#include "checkpoint/filter_ranges.h"

#include <algorithm>
#include <set>

#include "base/slices.h"
#include "base/strings.h"
#include "ops/integer_kernels.h"
#include "quant/learned_range.h"

namespace qat {
namespace {

bool HasEndPerChannel(const Checkpoint& checkpoint, OpType type) {
  return FilterPrecision(type, PrecisionsFromName(checkpoint.scheme).value()).per_axis();
}

Status CheckEnds(const NamedTensor& ends, const std::string& name, int64_t expected) {
  if (std::ssize(ends.values) != expected)
    return Corrupt(
        StrCat("filter range '", name, "' has ", ends.values.size(), " ends, expected ", expected));
  const auto least = std::min_element(ends.values.begin(), ends.values.end());
  if (*least < 0)
    return Corrupt(StrCat("filter range '", name, "' ends at ", *least, ", expected at least 0"));
  return {};
}

}  // namespace

std::vector<float> DeployedFilter(const Checkpoint& checkpoint, const std::string& name,
                                  const OpDefinition& op) {
  const NamedTensor& filter = checkpoint.tensors.at(name);
  std::vector<float> values = filter.values;
  const auto ends = checkpoint.filter_ranges.find(name);
  if (ends != checkpoint.filter_ranges.end() && HasEndPerChannel(checkpoint, op.type))
    RoundChannels(values, InnerSize(filter.shape, static_cast<size_t>(op.filter_channel_axis)),
                  ends->second.values,
                  FilterPrecision(op.type, PrecisionsFromName(checkpoint.scheme).value()));
  return values;
}

Status CheckFilterRanges(const Checkpoint& checkpoint) {
  if (checkpoint.filter_ranges.empty()) return {};
  if (!PrecisionsFromName(checkpoint.scheme).value().filters.symmetric)
    return Corrupt(
        StrCat("has learned ranges of filters, expected none with the scheme ", checkpoint.scheme));
  std::set<std::string> seen;
  for (const GraphNode& node : checkpoint.network.nodes) {
    const OpDefinition& op = node.definition();
    if (op.filter_input < 0) continue;
    const GraphTensor& filter =
        checkpoint.network.tensor(node.inputs.at(static_cast<size_t>(op.filter_input)));
    if (!filter.trained || !seen.insert(filter.name).second) continue;
    const auto ends = checkpoint.filter_ranges.find(filter.name);
    if (ends == checkpoint.filter_ranges.end())
      return Corrupt(StrCat("filter '", filter.name, "' has no learned range, and others have"));
    const int32_t channels = filter.shape.at(static_cast<size_t>(op.filter_channel_axis));
    QAT_RETURN_IF_ERROR(
        CheckEnds(ends->second, filter.name, HasEndPerChannel(checkpoint, node.type) ? channels : 1));
  }
  for (const auto& [name, ends] : checkpoint.filter_ranges) {
    if (!seen.contains(name))
      return Corrupt(StrCat("filter range '", name, "' belongs to no layer of its network"));
  }
  return {};
}

}  // namespace qat
