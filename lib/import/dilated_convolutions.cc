#include "import/dilated_convolutions.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "import/graph_edits.h"
#include "ir/constants.h"
#include "ir/output_source.h"

namespace qat {
namespace {

/// Block and borders of an operator that moves places to the batch or back; by axis from the second on.
struct Blocks {
  std::vector<int32_t> block, borders;  // borders: before and after each
};

class Rewriter {
 public:
  explicit Rewriter(Graph& graph) : graph_(graph) {}

  void Run(std::vector<std::string>& notes) {
    size_t count = 0;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto found = Match(graph_.nodes[i]);
      if (!found) continue;
      i = Rewrite(i, *found);
      ++count;
    }
    if (count == 0) return;
    RemoveUnusedTensors(graph_);
    notes.push_back(StrCat(count, count == 1 ? " convolution is" : " convolutions are",
                           " dilated again, instead of one between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND"));
  }

 private:
  struct Found {
    std::vector<std::string> old;  // names of nodes
    GraphNode convolution;
    int32_t input;
    std::vector<int32_t> block, pads;
    bool of_series;
  };

  std::optional<Blocks> BlocksOf(const GraphNode& node) const {
    Blocks blocks;
    for (const size_t at : {size_t{1}, size_t{2}}) {
      const GraphTensor& tensor = graph_.tensor(node.inputs[at]);
      if (!tensor.is_constant() || tensor.type != DType::kInt32) return std::nullopt;
      (at == 1 ? blocks.block : blocks.borders) = Int32Values(tensor);
    }
    return blocks;
  }

  static bool IsReshape(const GraphNode* node) {
    return node != nullptr && (node->type == OpType::kReshape || node->type == OpType::kExpandDims ||
                               node->type == OpType::kSqueeze);
  }

  /// [N, T, C] as [N, 1, T, C].
  static bool IsSeries(const Shape& series, const Shape& image) {
    return series.size() == 3 && image == Shape{series[0], 1, series[1], series[2]};
  }

  /// Calls `f` with the attributes of a convolution; false: it is none.
  template <class Attributes, class F>
  static bool OfConvolution(Attributes& attributes, F f) {
    if (auto* a = std::get_if<Conv2DAttributes>(&attributes)) return f(*a);
    if (auto* a = std::get_if<DepthwiseConv2DAttributes>(&attributes)) return f(*a);
    return false;
  }

  static bool IsPlain(const GraphNode& node) {
    return OfConvolution(node.attributes, [](const auto& a) {
      return a.stride_h == 1 && a.stride_w == 1 && a.dilation_h == 1 && a.dilation_w == 1 &&
             a.padding == Padding::kValid;
    });
  }

  std::optional<Found> Match(const GraphNode& last) const {
    if (last.type != OpType::kBatchToSpaceNd) return std::nullopt;
    const Shape& given = graph_.tensor(last.outputs[0]).shape;
    if (std::find(given.begin(), given.end(), 0) != given.end()) return std::nullopt;
    const auto back = BlocksOf(last);
    const GraphNode* at = SourceForOneReader(graph_, last.inputs[0]);
    if (!back || at == nullptr) return std::nullopt;
    Found found{{last.name}, {}, -1, back->block, {}, back->block.size() == 1};
    const auto step = [&] {
      found.old.push_back(at->name);
      at = SourceForOneReader(graph_, at->inputs[0]);
    };
    const Shape& last_shape = graph_.tensor(last.inputs[0]).shape;
    if (found.of_series) {
      if (!IsReshape(at)) return std::nullopt;
      step();
    }
    if (at == nullptr || !IsPlain(*at)) return std::nullopt;
    found.convolution = *at;
    if (found.of_series && !IsSeries(last_shape, graph_.tensor(at->outputs[0]).shape)) return std::nullopt;
    const Shape& image = graph_.tensor(at->inputs[0]).shape;
    step();
    if (found.of_series) {
      if (!IsReshape(at) || !IsSeries(graph_.tensor(at->inputs[0]).shape, image)) return std::nullopt;
      step();
    }
    if (at == nullptr || at->type != OpType::kSpaceToBatchNd) return std::nullopt;
    const auto to = BlocksOf(*at);
    const Shape& shape = graph_.tensor(at->inputs[0]).shape;
    const size_t axes = found.of_series ? 1 : 2;
    if (!to || to->block != back->block || to->block.size() != axes || to->borders.size() != 2 * axes ||
        back->borders.size() != 2 * axes || shape.size() != axes + 2)
      return std::nullopt;
    // What is cropped in the end need not be padded.
    for (size_t i = 0; i < 2 * axes; ++i) {
      found.pads.push_back(to->borders[i] - back->borders[i]);
      if (found.pads.back() < 0) return std::nullopt;
    }
    found.old.push_back(at->name);
    found.input = at->inputs[0];
    return found;
  }

  int32_t Indices(const std::string& name, const Shape& shape, const std::vector<int32_t>& values) {
    return graph_.AddConstant(FreeName(graph_, name), shape, values);
  }

  int32_t Reshape(size_t& place, const std::string& name, int32_t x, const Shape& shape) {
    Shape open = shape;
    open[0] = -1;
    const int32_t sizes = Indices(name + "/shape", {static_cast<int32_t>(shape.size())}, open);
    return InsertNode(graph_, place++, OpType::kReshape, name, ReshapeAttributes{open}, {x, sizes});
  }

  /// Puts the new nodes in front of the last of the old ones; returns the place of the last new one.
  size_t Rewrite(size_t place, const Found& found) {
    const std::string& name = found.convolution.name;
    const int32_t given = graph_.nodes[place].outputs[0];
    int32_t x = found.input;
    if (std::any_of(found.pads.begin(), found.pads.end(), [](int32_t pad) { return pad > 0; })) {
      const Shape shape = graph_.tensor(x).shape;
      std::vector<int32_t> pads = {0, 0};
      pads.insert(pads.end(), found.pads.begin(), found.pads.end());
      pads.insert(pads.end(), {0, 0});
      const int32_t sizes = Indices(name + "/pads", {static_cast<int32_t>(shape.size()), 2}, pads);
      x = InsertNode(graph_, place++, OpType::kPad, name + "/pad", PadAttributes(), {x, sizes});
    }
    if (found.of_series) {
      const Shape shape = graph_.tensor(x).shape;
      x = Reshape(place, name + "/as_image", x, {shape[0], 1, shape[1], shape[2]});
    }
    OpAttributes attributes = found.convolution.attributes;
    OfConvolution(attributes, [&](auto& a) {
      a.dilation_h = found.of_series ? 1 : found.block[0];
      a.dilation_w = found.block.back();
      return true;
    });
    std::vector<int32_t> inputs = found.convolution.inputs;
    inputs[0] = x;
    x = InsertNode(graph_, place++, found.convolution.type, name + "/dilated", attributes, inputs);
    if (found.of_series) {
      const Shape shape = graph_.tensor(x).shape;
      x = Reshape(place, name + "/as_series", x, {shape[0], shape[2], shape[3]});
    }
    QAT_CHECK(graph_.tensor(x).shape == graph_.tensor(given).shape);
    graph_.nodes[place - 1].outputs = {given};
    const std::string last = graph_.nodes[place - 1].name;
    std::erase_if(graph_.nodes, [&](const GraphNode& node) {
      return std::find(found.old.begin(), found.old.end(), node.name) != found.old.end();
    });
    const auto at = std::find_if(graph_.nodes.begin(), graph_.nodes.end(),
                                 [&](const GraphNode& node) { return node.name == last; });
    return static_cast<size_t>(at - graph_.nodes.begin());
  }

  Graph& graph_;
};

}  // namespace

void UseDilation(Graph& graph, std::vector<std::string>& notes) { Rewriter(graph).Run(notes); }

}  // namespace qat
