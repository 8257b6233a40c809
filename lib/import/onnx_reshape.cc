#include "import/onnx_reshape.h"

#include <algorithm>

namespace qat {
namespace {

/// Neighbouring axes of both shapes, of more than one element each, with as many values.
struct Group {
  AxisOrder from, to;
};

std::vector<Group> GroupsOf(const Shape& from, const Shape& to) {
  std::vector<Group> groups;
  size_t i = 0, j = 0;
  const auto skip = [](const Shape& shape, size_t at) {
    while (at < shape.size() && shape[at] == 1) ++at;
    return at;
  };
  i = skip(from, 0);
  j = skip(to, 0);
  while (i < from.size() && j < to.size()) {
    Group group;
    int64_t a = from[i], b = to[j];
    group.from.push_back(static_cast<int32_t>(i));
    group.to.push_back(static_cast<int32_t>(j));
    i = skip(from, i + 1);
    j = skip(to, j + 1);
    while (a != b) {
      if (a < b && i < from.size()) {
        a *= from[i];
        group.from.push_back(static_cast<int32_t>(i));
        i = skip(from, i + 1);
      } else if (j < to.size()) {
        b *= to[j];
        group.to.push_back(static_cast<int32_t>(j));
        j = skip(to, j + 1);
      } else {
        break;
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

/// Which group an axis of the source belongs to; -1: none, it has one element.
int32_t GroupOf(const std::vector<Group>& groups, int32_t axis) {
  for (size_t g = 0; g < groups.size(); ++g) {
    if (std::find(groups[g].from.begin(), groups[g].from.end(), axis) != groups[g].from.end())
      return static_cast<int32_t>(g);
  }
  return -1;
}

/// The axis of one element that stands where axis `axis` of the source does, which has one, too; -1: none.
int32_t SameUnitAxis(const Shape& from, int32_t axis, const Shape& to) {
  const auto values_before = [](const Shape& shape, int32_t at) {
    return FlatSize(Shape(shape.begin(), shape.begin() + at));
  };
  for (int32_t k = 0; k < std::ssize(to); ++k) {
    if (to[static_cast<size_t>(k)] == 1 && values_before(to, k) == values_before(from, axis)) return k;
  }
  return -1;
}

/// The axes of the result as the groups lie; those of one element behind the axis before them, the first in
/// front.
AxisOrder ResultOrder(const std::vector<Group>& groups, const std::vector<int32_t>& sequence,
                      const Shape& to) {
  AxisOrder order;
  for (const int32_t g : sequence)
    order.insert(order.end(), groups[static_cast<size_t>(g)].to.begin(),
                 groups[static_cast<size_t>(g)].to.end());
  for (int32_t axis = 0; axis < std::ssize(to); ++axis) {
    if (to[static_cast<size_t>(axis)] != 1) continue;
    const auto before = axis == 0 ? order.end() : std::find(order.begin(), order.end(), axis - 1);
    order.insert(before == order.end() ? order.begin() : before + 1, axis);
  }
  return order;
}

}  // namespace

ReshapePlan PlanReshape(const Shape& from, const AxisOrder& order, const Shape& to) {
  if (order == IdentityOrder(from.size())) return {order, IdentityOrder(to.size()), {}};
  const std::vector<Group> groups = GroupsOf(from, to);
  std::vector<int32_t> sequence;  // of groups, as they begin in the tensor
  bool together = true, sorted = true;
  std::vector<AxisOrder> found(groups.size());
  int32_t last = -1;
  for (const int32_t axis : order) {
    const int32_t g = axis < 0 ? -1 : GroupOf(groups, axis);
    if (g < 0) continue;
    AxisOrder& axes = found[static_cast<size_t>(g)];
    if (axes.empty())
      sequence.push_back(g);
    else if (g != last)
      together = false;
    axes.push_back(axis);
    last = g;
  }
  size_t turned = 0, where = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    if (found[g] == groups[g].from) continue;
    sorted = false;
    ++turned;
    where = g;
  }
  ReshapePlan plan = {order, ResultOrder(groups, sequence, to), {}};
  // A batch of one that is not the source's first axis but the tensor's, as with recurrent layers, stays
  // first.
  if (order[0] > 0 && from[static_cast<size_t>(order[0])] == 1) {
    const int32_t batch = SameUnitAxis(from, order[0], to);
    if (batch >= 0) {
      plan.order.erase(std::find(plan.order.begin(), plan.order.end(), batch));
      plan.order.insert(plan.order.begin(), batch);
    }
  }
  if (together && sorted) return plan;
  const bool dense_next = groups.size() > where && groups[where].to.size() == 1 && to.size() <= 3 &&
                          groups[where].to[0] + 1 == static_cast<int32_t>(to.size());
  if (together && turned == 1 && dense_next) {
    FlattenedAxis flat;
    flat.axis = groups[where].to[0];
    for (const int32_t axis : groups[where].from) flat.sizes.push_back(from[static_cast<size_t>(axis)]);
    for (const int32_t axis : found[where]) {
      const auto place =
          std::find(groups[where].from.begin(), groups[where].from.end(), axis) - groups[where].from.begin();
      flat.order.push_back(static_cast<int32_t>(place));
    }
    plan.flattened = std::move(flat);
    return plan;
  }
  // The groups where they begin, their axes in ONNX's order.
  plan.source_order.clear();
  for (int32_t axis = 0; axis < std::ssize(from); ++axis) {
    if (from[static_cast<size_t>(axis)] == 1) plan.source_order.push_back(axis);
  }
  for (const int32_t g : sequence) {
    const AxisOrder& axes = groups[static_cast<size_t>(g)].from;
    plan.source_order.insert(plan.source_order.end(), axes.begin(), axes.end());
  }
  return plan;
}

}  // namespace qat
