#include "spec/spec_attributes.h"

#include <algorithm>

#include "base/strings.h"
#include "ir/constants.h"
#include "ops/shape_rules.h"
#include "ops/slice_geometry.h"

namespace qat {
namespace {

using Integers = std::vector<int32_t>;

/// What stands in the entries of a list that a spec does not write.
Integers WithoutTrailing(Integers values, int32_t open) {
  while (values.size() > 1 && values.back() == open) values.pop_back();
  return values;
}

Integers AfterBatch(const Integers& values) {
  return {values.begin() + (values.empty() ? 0 : 1), values.end()};
}

/// One function per kind of attributes; what has nothing in tensors stays as it is.
class Reader {
 public:
  Reader(const Graph& graph, const GraphNode& node)
      : graph_(graph), node_(node), operands_(graph.OperandsOf(node)) {}

  template <class A>
  Expected<OpAttributes> operator()(A a) const {
    return OpAttributes(std::move(a));
  }

  Expected<OpAttributes> operator()(Conv2DAttributes a) const {
    const Shape& filter = Filter();
    a.filters = filter[0];
    a.kernel_h = filter[1];
    a.kernel_w = filter[2];
    a.quantized_bias_type = DType::kFloat32;
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(DepthwiseConv2DAttributes a) const {
    const Shape& filter = Filter();
    a.kernel_h = filter[1];
    a.kernel_w = filter[2];
    a.depth_multiplier = std::max(filter[3] / std::max(Input().back(), 1), 1);
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(TransposeConvAttributes a) const {
    const Shape& filter = Filter();
    a.filters = filter[0];
    a.kernel_h = filter[1];
    a.kernel_w = filter[2];
    a.quantized_bias_type = DType::kFloat32;
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(FullyConnectedAttributes a) const {
    a.units = Filter()[0];
    // Rows stay rows, one way or the other.
    a.keep_num_dims = a.keep_num_dims && Input().size() != 2;
    a.asymmetric_inputs = false;
    a.quantized_bias_type = DType::kFloat32;
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(BinaryAttributes a) const {
    a.power_of_two_scales = BinaryAttributes().power_of_two_scales;
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(PReluAttributes a) const {
    const auto& trained = graph_.tensor(node_.inputs.at(1)).trained;
    if (trained) a.slope = trained->initializer.value;
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(BatchMatMulAttributes a) const {
    a.asymmetric_inputs = false;
    return OpAttributes(a);
  }

  // As it was written, where it was written for one example.
  Expected<OpAttributes> operator()(ReshapeAttributes a) const {
    const Shape& output = graph_.tensor(node_.outputs[0]).shape;
    const bool written = a.new_shape.size() == output.size() && !output.empty() && a.new_shape[0] == 1;
    if (!written) a.new_shape = output;
    if (!written && output.size() == 2) a.new_shape = {1, -1};
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(MeanAttributes a) const {
    QAT_ASSIGN_OR_RETURN(a.axes, Constant(1, "axes"));
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(PadAttributes a) const {
    QAT_ASSIGN_OR_RETURN(a.pads, Pads());
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(MirrorPadAttributes a) const {
    QAT_ASSIGN_OR_RETURN(a.pads, Pads());
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(SplitAttributes a) const {
    const bool sized = node_.type == OpType::kSplitV;
    if (sized) {
      QAT_ASSIGN_OR_RETURN(a.sizes, Constant(1, "sizes"));
    }
    a.part = 0;
    return WithAxis(a, sized ? 2 : 0);
  }

  Expected<OpAttributes> operator()(SliceAttributes a) const {
    QAT_ASSIGN_OR_RETURN(const Integers begin, Constant(1, "begin"));
    QAT_ASSIGN_OR_RETURN(const Integers size, Constant(2, "size"));
    a.begin = WithoutTrailing(AfterBatch(begin), 0);
    a.size = WithoutTrailing(AfterBatch(size), -1);
    return OpAttributes(a);
  }

  // Written as the layer of a spec is, only the batch is open; everything else is said by where it begins and
  // ends.
  Expected<OpAttributes> operator()(const StridedSliceAttributes& a) const {
    StridedSliceAttributes said = std::get<StridedSliceAttributes>(node_.definition().default_attributes);
    if (a.begin_mask == said.begin_mask && a.end_mask == said.end_mask && a.shrink_axis_mask == 0 &&
        a.new_axis_mask == 0 && a.ellipsis < 0 && !a.end_is_offset) {
      QAT_ASSIGN_OR_RETURN(said.begin, Constant(1, "begin"));
      QAT_ASSIGN_OR_RETURN(said.end, Constant(2, "end"));
      QAT_ASSIGN_OR_RETURN(said.strides, Constant(3, "strides"));
      for (Integers* list : {&said.begin, &said.end, &said.strides}) *list = AfterBatch(*list);
    } else {
      QAT_ASSIGN_OR_RETURN(const std::vector<SliceAxis> axes, StridedSliceGeometry(a, operands_));
      if (axes.size() != Input().size())
        return Unsupported("it inserts axes, which a slice of a spec does not");
      for (size_t i = 1; i < axes.size(); ++i) {
        if (axes[i].dropped || axes[i].inserted)
          return Unsupported("it drops or inserts axes, which a slice of a spec does not");
        if (axes[i].stride < 1) return Unsupported("it walks backwards, which a slice of a spec does not");
        const int64_t end = axes[i].begin + axes[i].count * axes[i].stride;
        said.begin.push_back(static_cast<int32_t>(axes[i].begin));
        said.end.push_back(end >= Input()[i] ? kOpenEnd : static_cast<int32_t>(end));
        said.strides.push_back(static_cast<int32_t>(axes[i].stride));
      }
    }
    while (said.begin.size() > 1 && said.begin.back() == 0 && said.end.back() == kOpenEnd &&
           said.strides.back() == 1) {
      for (Integers* list : {&said.begin, &said.end, &said.strides}) list->pop_back();
    }
    said.strides = WithoutTrailing(std::move(said.strides), 1);
    if (said.strides == Integers{1}) said.strides.clear();
    return OpAttributes(said);
  }

  Expected<OpAttributes> operator()(TransposeAttributes a) const {
    QAT_ASSIGN_OR_RETURN(a.permutation, Constant(1, "permutation"));
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(ExpandDimsAttributes a) const { return WithAxis(a, 1); }

  Expected<OpAttributes> operator()(SqueezeAttributes a) const {
    for (size_t i = 1; i < Input().size() && node_.type == OpType::kSqueeze && a.axes.empty(); ++i) {
      if (Input()[i] == 1) a.axes.push_back(static_cast<int32_t>(i));
    }
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(GatherAttributes a) const {
    QAT_ASSIGN_OR_RETURN(a.indices, Constant(1, "list of indices"));
    return OpAttributes(a);
  }

  // A factor, where it is a whole one: it holds for images of other sizes, too.
  Expected<OpAttributes> operator()(ResizeAttributes a) const {
    QAT_ASSIGN_OR_RETURN(const Integers size, Constant(1, "size"));
    const Shape& input = Input();
    a.height = a.width = a.scale_h = a.scale_w = 0;
    if (size.at(0) % input.at(1) == 0 && size.at(1) % input.at(2) == 0) {
      a.scale_h = size[0] / input[1];
      a.scale_w = size[1] / input[2];
    } else {
      a.height = size[0];
      a.width = size[1];
    }
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(TileAttributes a) const {
    QAT_ASSIGN_OR_RETURN(const Integers multiples, Constant(1, "list of multiples"));
    a.multiples = AfterBatch(multiples);
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(BroadcastToAttributes a) const {
    QAT_ASSIGN_OR_RETURN(const Integers shape, Constant(1, "shape"));
    a.shape = AfterBatch(shape);
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(ReverseAttributes a) const {
    QAT_ASSIGN_OR_RETURN(a.axes, Constant(1, "axes"));
    return OpAttributes(a);
  }

  Expected<OpAttributes> operator()(CumsumAttributes a) const { return WithAxis(a, 1); }

 private:
  template <class Attributes>
  Expected<OpAttributes> WithAxis(Attributes a, size_t position) const {
    QAT_ASSIGN_OR_RETURN(const Integers axis, Constant(position, "axis"));
    a.axis = axis.at(0);
    return OpAttributes(a);
  }

  static constexpr int32_t kOpenEnd = 1 << 20;  // beyond any axis

  const Shape& Filter() const {
    return operands_.at(static_cast<size_t>(node_.definition().filter_input)).shape;
  }
  const Shape& Input() const {
    return operands_.at(static_cast<size_t>(node_.definition().data_input)).shape;
  }

  Expected<Integers> Constant(size_t position, std::string_view what) const {
    const auto values = ConstantIndices(operands_.at(position), what);
    if (!values.ok())
      return Unsupported(StrCat("its ", what, " is computed, a layer of a spec has a constant"));
    return Integers(values->begin(), values->end());
  }

  Expected<Integers> Pads() const {
    QAT_ASSIGN_OR_RETURN(Integers pads, Constant(1, "border"));
    pads.erase(pads.begin(), pads.begin() + std::min<std::ptrdiff_t>(2, std::ssize(pads)));
    while (pads.size() > 2 && pads.back() == 0 && pads[pads.size() - 2] == 0) pads.resize(pads.size() - 2);
    return pads;
  }

  const Graph& graph_;
  const GraphNode& node_;
  std::vector<Operand> operands_;
};

}  // namespace

Expected<OpAttributes> SpecAttributesOf(const Graph& graph, const GraphNode& node) {
  return std::visit(Reader(graph, node), node.attributes);
}

}  // namespace qat
