#include "import/import_onnx.h"

#include <algorithm>
#include <set>

#include "base/join_some.h"
#include "base/strings.h"
#include "import/normalize.h"
#include "import/onnx_byte_input.h"
#include "import/onnx_contract.h"
#include "import/onnx_convert.h"
#include "import/onnx_fold.h"
#include "import/onnx_input_order.h"
#include "import/onnx_kernels.h"
#include "import/onnx_ml.h"
#include "import/onnx_patterns.h"
#include "import/onnx_sequences.h"
#include "import/real_input.h"

namespace qat {
namespace {

constexpr int64_t kOldestOpset = 7;
const AxisOrder kStepsFirst = {1, 0, 2};  // [steps, N, values] of recurrent layers, which lies batch first

/// "model" of "dir/model.onnx".
std::string StemOf(const std::string& path) {
  const std::string file = path.substr(path.find_last_of('/') + 1);
  return file.substr(0, file.rfind('.'));
}

/// The name of the first output that is not left out.
std::string FirstOutput(const onnx::Node& node) {
  const auto named = std::find_if(node.outputs.begin(), node.outputs.end(),
                                  [](const std::string& each) { return !each.empty(); });
  return named == node.outputs.end() ? std::string() : *named;
}

/// Every reason once, with the nodes that it is about.
class Refusals {
 public:
  void Add(const onnx::Node& node, const Error& error) {
    const std::string reason = StrCat(node.op, ": ", error.message);
    unsupported_ = unsupported_ || error.code == ErrorCode::kUnsupported;
    const std::string name = StrCat("'", node.name.empty() ? FirstOutput(node) : node.name, "'");
    for (auto& [known, names] : reasons_) {
      if (known != reason) continue;
      names.push_back(name);
      return;
    }
    reasons_.push_back({reason, {name}});
  }

  bool empty() const { return reasons_.empty(); }

  Error Text(const std::string& hint) const {
    constexpr size_t kShown = 3;
    std::string text = "cannot be imported:";
    for (const auto& [reason, names] : reasons_) {
      const std::vector<std::string> first(
          names.begin(), names.begin() + static_cast<int64_t>(std::min(names.size(), kShown)));
      text += StrCat("\n  ", reason, " (", Join(first),
                     names.size() > kShown ? StrCat(" and ", names.size() - kShown, " more") : "", ")");
    }
    if (!hint.empty()) text += StrCat("\n  ", hint);
    return unsupported_ ? Unsupported(text) : Corrupt(text);
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons_;
  bool unsupported_ = false;
};

class Importer {
 public:
  Importer(onnx::Model& model, const OnnxImportOptions& options, std::vector<std::string>& notes)
      : model_(model),
        options_(options),
        notes_(notes),
        conversion_{builder_, result_.batch_norms, readers_} {}

  Expected<OnnxImport> Run() {
    ml_ = RewriteMl(model_);
    QAT_RETURN_IF_ERROR(CheckModel());
    JoinGelus(model_.graph);
    JoinSigmoids(model_.graph);
    JoinNorms(model_.graph);
    DropUnread(model_.graph);
    CountReaders(model_.graph);
    for (const onnx::Node& node : model_.graph.nodes) {
      if (node.op == "Softmax" && !node.inputs.empty() && readers_[node.inputs[0]] == 1)
        conversion_.into_softmax.insert(node.inputs[0]);
    }
    for (onnx::Tensor& tensor : model_.graph.initializers) {
      file_values_ += tensor.size();
      AddConstant(std::move(tensor));
    }
    QAT_RETURN_IF_ERROR(AddInputs());
    RunNodes(model_.graph.nodes, 0);
    if (!refusals_.empty()) return refusals_.Text(batch_hint_);
    QAT_RETURN_IF_ERROR(SetOutputs());
    return Finish();
  }

 private:
  Status CheckModel() const {
    if (model_.opset() == 0 && !model_.opsets.empty())
      return Unsupported(StrCat("is made of operators of '", model_.opsets.begin()->first,
                                "' alone; export the network with ONNX's own operators"));
    if (model_.opset() == 0) return Corrupt("says no opset of ONNX's operators");
    if (model_.opset() < kOldestOpset)
      return Unsupported(StrCat("is of opset ", model_.opset(), ", expected ", kOldestOpset,
                                " and newer; export it again, or convert it with onnx.version_converter"));
    if (!model_.graph.sparse.empty())
      return Unsupported(StrCat("has sparse initializers, '", model_.graph.sparse[0],
                                "'; export the network with dense ones"));
    return {};
  }

  void AddConstant(onnx::Tensor tensor) {
    std::string name = tensor.name;
    if (tensor.type == onnx::ElementType::kString)
      texts_.insert(std::move(name));
    else
      values_[name] = MakeConstant(std::move(tensor));
  }

  void CountReaders(const onnx::Graph& graph) {
    for (const onnx::Node& node : graph.nodes) {
      for (const std::string& input : node.inputs) {
        if (!input.empty()) ++readers_[input];
      }
      for (const onnx::Attribute& attribute : node.attributes) {
        if (attribute.graph) CountReaders(*attribute.graph);
      }
    }
    for (const onnx::ValueInfo& output : graph.outputs) ++readers_[output.name];
  }

  Status AddInputs() {
    QAT_RETURN_IF_ERROR(CheckShapeNames());
    for (const onnx::ValueInfo& input : model_.graph.inputs) {
      if (values_.count(input.name) > 0) continue;  // its value is an initializer
      QAT_RETURN_IF_ERROR_IN(StrCat("input '", input.name, "'"), AddInput(input));
    }
    if (builder_.graph().inputs.empty()) return Unsupported("has no input: all it computes is constant");
    return {};
  }

  /// Before sizes are asked for that a name with an error in it was to say.
  Status CheckShapeNames() const {
    std::vector<std::string> names;
    for (const onnx::ValueInfo& input : model_.graph.inputs) {
      if (values_.count(input.name) == 0) names.push_back(input.name);
    }
    for (const auto& [name, sizes] : options_.input_shapes) {
      if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
        return InvalidArgument(StrCat("`input_shape`: names the input '", name, "', expected ", Join(names)));
    }
    return {};
  }

  Status AddInput(const onnx::ValueInfo& input) {
    if (!input.is_tensor) return Unsupported("is a sequence, a map or may be left out; expected a tensor");
    const bool bytes =
        input.type == onnx::ElementType::kUInt8 && BecomesReal(model_.graph, readers_, input.name);
    const bool whole = input.type == onnx::ElementType::kInt32 || input.type == onnx::ElementType::kInt64;
    if (!onnx::IsReal(input.type) && !bytes && !whole) {
      return Unsupported(StrCat("is ", NameOf(input.type),
                                ", expected real numbers, whole numbers of int32 or int64, or uint8 that a "
                                "Cast makes real numbers first"));
    }
    result_.takes_bytes = bytes && builder_.graph().inputs.empty();
    if (input.type == onnx::ElementType::kDouble)
      notes_.push_back(StrCat("input '", input.name, "' is float64 and becomes float32"));
    if (!input.has_shape) return Unsupported("says no shape; export the network with one");
    if (IsOneExample(model_.graph, values_, input.name, input.dims.size()))
      return Unsupported(
          "holds the steps of one example and has no batch; export the network with one, as [1, steps, "
          "values]");
    const AxisOrder order = whole ? IdentityOrder(input.dims.size())
                                  : InputOrder(model_.graph, values_, input.name, input.dims.size());
    QAT_ASSIGN_OR_RETURN(const Shape shape,
                         InputShape(input, order.empty() ? 0 : static_cast<size_t>(order[0])));
    if (shape.size() < 2)
      return Unsupported(
          StrCat("is ", ToString(shape), ", expected a batch and at least one axis, as [1, features]"));
    if (*std::max_element(shape.begin(), shape.end()) > kMostMadeValues)
      return Unsupported(
          StrCat("is ", ToString(shape), ", expected ", kMostMadeValues, " at most along an axis"));
    values_[input.name] = builder_.AddInput(input.name, shape, order);
    inputs_.push_back(input.name);
    if (whole) {
      const DType type = input.type == onnx::ElementType::kInt32 ? DType::kInt32 : DType::kInt64;
      builder_.Begin(input.name);
      QAT_ASSIGN_OR_RETURN(values_[input.name],
                           builder_.Unary(OpType::kCast, CastAttributes{type}, values_[input.name]));
      notes_.push_back(DescribeWholeNumbers(input.name, NameOf(input.type)));
    }
    const GraphTensor& tensor = builder_.graph().tensor(builder_.graph().inputs.back());
    // Axes of one size change places, too.
    if (tensor.shape != shape || !IsIdentity(WithoutUnitAxes(order))) {
      notes_.push_back(StrCat("input '", input.name, "' takes ", ToString(tensor.shape), MovedText(order),
                              "; the source takes ", ToString(shape)));
    }
    return {};
  }

  static std::string_view MovedText(const AxisOrder& order) {
    return order == kStepsFirst ? ", the batch first" : ", the channels last";
  }

  /// `batch`: the axis of the examples.
  Expected<Shape> InputShape(const onnx::ValueInfo& input, size_t batch) {
    std::vector<int64_t> dims = input.dims;
    auto given = options_.input_shapes.find(input.name);
    if (given == options_.input_shapes.end()) given = options_.input_shapes.find("");
    if (given != options_.input_shapes.end()) {
      if (given->second.size() != dims.size())
        return InvalidArgument(
            StrCat("has ", dims.size(), " axes, `input_shape` has ", given->second.size()));
      for (size_t i = 0; i < dims.size(); ++i) {
        if (dims[i] >= 0 && dims[i] != given->second[i] && i != batch)
          return InvalidArgument(
              StrCat("has size ", dims[i], " at axis ", i, ", `input_shape` says ", given->second[i]));
        dims[i] = given->second[i];
      }
    }
    if (!dims.empty() && dims[batch] == -1) dims[batch] = 1;
    if (!dims.empty() && dims[batch] > 1) {
      notes_.push_back(StrCat("input '", input.name, "' was exported for ", dims[batch],
                              " examples at once; the network is imported for one"));
      batch_hint_ = StrCat("the network was exported for ", dims[batch],
                           " examples at once; export it for one, or with an open batch");
      dims[batch] = 1;
    }
    for (size_t i = 0; i < dims.size(); ++i) {
      if (dims[i] < 1) {
        const std::string name =
            input.symbols[i].empty() ? std::string("of unknown size") : StrCat("'", input.symbols[i], "'");
        return Unsupported(StrCat("leaves axis ", i, " open (", name,
                                  "); export the network with fixed sizes, or say `input_shape`"));
      }
    }
    return ToShape(dims);
  }

  void RunNodes(const std::vector<onnx::Node>& nodes, int depth) {
    for (const onnx::Node& node : nodes) {
      const Status done = RunNode(node, depth);
      if (done.ok()) continue;
      refusals_.Add(node, done.error());
      unknown_.insert(node.outputs.begin(), node.outputs.end());
    }
  }

  Status RunNode(const onnx::Node& node, int depth) {
    if (node.outputs.empty()) return {};
    if (!node.domain.empty()) return Unsupported(WayOutFor(node.op, node.domain));
    bool known = true;
    OnnxNode context{node, model_.opset(), {}};
    for (const std::string& input : node.inputs) {
      known = known && unknown_.count(input) == 0;
      const auto found = values_.find(input);
      if (texts_.contains(input))
        return Unsupported(StrCat("reads '", input, "', which is text; leave out what gives text"));
      if (!input.empty() && found == values_.end() && known && !sequences_.Has(input))
        return InvalidArgument(StrCat("reads '", input, "', which nothing computes"));
      context.inputs.push_back(found == values_.end() ? OnnxValue() : found->second);
    }
    if (!known) {  // what it reads has been refused; whether it would come in itself, counts
      unknown_.insert(node.outputs.begin(), node.outputs.end());
      const bool comes_in =
          FindConverter(node.op) != nullptr || IsStructural(node.op) || OnnxSequences::Handles(node.op);
      return comes_in ? Status() : Unsupported(WayOutFor(node.op, node.domain));
    }
    return Convert(node, context, depth);
  }

  static bool IsStructural(const std::string& op) {
    return op == "Shape" || op == "Size" || op == "Constant" || op == "ConstantOfShape" || op == "Range" ||
           op == "If" || op == "Erf" || op == "NonZero";
  }

  Status Convert(const onnx::Node& node, OnnxNode& context, int depth) {
    builder_.Begin(FirstOutput(node));
    if (node.op == "Constant") return SetConstant(node);
    if (node.op == "If") return RunBranch(node, context, depth);
    if (node.op == "Shape" || node.op == "Size") return SetShape(node, context);
    if (OnnxSequences::Handles(node.op)) {
      QAT_ASSIGN_OR_RETURN(const std::vector<OnnxValue> values, sequences_.Convert(conversion_, context));
      return values.empty() ? Status() : SetOutputs(node, values);
    }
    const bool constant = std::all_of(context.inputs.begin(), context.inputs.end(),
                                      [](const OnnxValue& v) { return !v.exists() || v.is_constant(); });
    if (constant) {
      if (auto folded = FoldNode(context)) {
        if (!folded->ok()) return std::move(*folded).error();
        QAT_RETURN_IF_ERROR(CountMade(context, **folded));
        return SetOutputs(node, **folded);
      }
    }
    const OnnxConverter* converter = FindConverter(node.op);
    if (converter == nullptr) return Unsupported(WayOutFor(node.op, node.domain));
    for (size_t i = 0; i < converter->inputs; ++i) {
      if (!context.Has(i)) return InvalidArgument(StrCat("has no input ", i));
    }
    QAT_RETURN_IF_ERROR(CheckReals(context));
    if (constant) {
      QAT_ASSIGN_OR_RETURN(const std::vector<OnnxValue> values, FoldByKernels(*converter, context));
      return SetOutputs(node, values);
    }
    if (context.In(0).is_constant() && !TakesConstantFirst(node.op))
      return Unsupported("its data are constant and its parameters are computed while the network runs");
    QAT_ASSIGN_OR_RETURN(const std::vector<OnnxValue> values, converter->convert(conversion_, context));
    return SetOutputs(node, values);
  }

  /// Those that read the numbers of constants themselves.
  static Status CheckReals(const OnnxNode& node) {
    static const std::set<std::string_view> kOps = {"Gemm", "MatMul", "Einsum", "PRelu"};
    if (kOps.count(node.node.op) == 0) return {};
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.Has(i) || !node.In(i).is_constant() || onnx::IsReal(node.In(i).constant->type)) continue;
      return Unsupported(
          StrCat("its input ", i, " is ", NameOf(node.In(i).constant->type), ", expected real numbers"));
    }
    return {};
  }

  static bool TakesConstantFirst(const std::string& op) {
    static const std::set<std::string_view> kOps = {
        "Add",       "Sub",      "Mul",    "Div",         "Equal",          "Less",
        "Greater",   "And",      "Or",     "LessOrEqual", "GreaterOrEqual", "Max",
        "Min",       "Sum",      "Mean",   "Pow",         "Where",          "Concat",
        "MatMul",    "Gemm",     "Gather", "Mod",         "CastLike",       "Einsum",
        "Attention", "ScatterND"};
    return kOps.count(op) > 0;
  }

  /// Each constant made of others is bounded by what it is made of; all of them together by what the file
  /// holds.
  Status CountMade(const OnnxNode& node, const std::vector<OnnxValue>& values) {
    constexpr int64_t kTimesThoseOfTheFile = 8;
    for (const OnnxValue& value : values) {
      const bool handed_on = std::any_of(node.inputs.begin(), node.inputs.end(), [&](const OnnxValue& input) {
        return input.constant == value.constant;
      });
      if (value.is_constant() && !handed_on) made_values_ += value.constant->size();
    }
    const int64_t most = 4 * kMostMadeValues + kTimesThoseOfTheFile * file_values_;
    if (made_values_ <= most) return {};
    return Unsupported(StrCat("constants made of constants have more than ", most,
                              " values in all; fold them before the export"));
  }

  Status SetOutputs(const onnx::Node& node, const std::vector<OnnxValue>& values) {
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const std::string& name = node.outputs[i];
      if (name.empty()) continue;
      if (i >= values.size()) {
        if (readers_[name] > 0)
          return Unsupported(StrCat("its output ", i, " is read, which is not computed here"));
        continue;
      }
      builder_.NameResult(values[i], name);
      if (!values[i].is_constant()) conversion_.names_of[values[i].tensor].push_back(name);
      values_[name] = values[i];
    }
    return {};
  }

  Status SetConstant(const onnx::Node& node) {
    onnx::Tensor tensor;
    tensor.type = onnx::ElementType::kFloat;
    for (const onnx::Attribute& attribute : node.attributes) {
      using Kind = onnx::Attribute::Kind;
      if (attribute.name == "value" && attribute.tensor)
        tensor = *attribute.tensor;
      else if (attribute.name == "value_float")
        tensor.reals = {attribute.real};
      else if (attribute.name == "value_floats")
        tensor.reals = attribute.reals;
      else if (attribute.name == "value_int")
        tensor.integers = {attribute.integer};
      else if (attribute.name == "value_ints")
        tensor.integers = attribute.integers;
      else
        return Unsupported(StrCat("holds `", attribute.name, "`, expected numbers"));
      if (attribute.name.ends_with("s"))
        tensor.dims = {std::ssize(tensor.reals) + std::ssize(tensor.integers)};
      if (attribute.kind == Kind::kInt || attribute.kind == Kind::kInts)
        tensor.type = onnx::ElementType::kInt64;
    }
    if (tensor.size() != std::ssize(tensor.reals) + std::ssize(tensor.integers))
      return InvalidArgument("holds nothing");
    if (tensor.name.empty()) tensor.name = node.outputs[0];
    values_[node.outputs[0]] = MakeConstant(std::move(tensor));
    return {};
  }

  /// Sizes are fixed, so a shape is a constant whatever it is of.
  Status SetShape(const onnx::Node& node, const OnnxNode& context) {
    if (!context.Has(0)) return InvalidArgument("has no input 0");
    const Shape& shape = context.In(0).shape;
    if (node.op == "Size") {
      onnx::Tensor size;
      size.type = onnx::ElementType::kInt64;
      size.integers = {FlatSize(shape)};
      return SetOutputs(node, {MakeConstant(std::move(size))});
    }
    const int64_t rank = std::ssize(shape);
    const auto resolve = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
    const int64_t start = resolve(context.Int("start", 0)), end = resolve(context.Int("end", rank));
    std::vector<int64_t> sizes;
    for (int64_t i = start; i < end; ++i) sizes.push_back(shape[static_cast<size_t>(i)]);
    return SetOutputs(node, {MakeIntegers(sizes)});
  }

  /// A branch that is known takes the place of the node.
  Status RunBranch(const onnx::Node& node, const OnnxNode& context, int depth) {
    if (depth > 8) return Unsupported("branches lie in each other too deep");
    if (!context.Has(0) || !context.In(0).is_constant() || context.In(0).constant->integers.size() != 1)
      return Unsupported(WayOutFor(node.op, ""));
    const onnx::Attribute* branch =
        node.Find(context.In(0).constant->integers[0] != 0 ? "then_branch" : "else_branch");
    if (branch == nullptr || !branch->graph || branch->graph->outputs.size() < node.outputs.size())
      return InvalidArgument("has no such branch");
    for (const onnx::Tensor& tensor : branch->graph->initializers) AddConstant(tensor);
    RunNodes(branch->graph->nodes, depth + 1);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const auto found = values_.find(branch->graph->outputs[i].name);
      if (found == values_.end())
        unknown_.insert(node.outputs[i]);
      else
        values_[node.outputs[i]] = found->second;
    }
    return {};
  }

  Status SetOutputs() {
    Graph& graph = builder_.graph();
    for (const onnx::ValueInfo& output : model_.graph.outputs) {
      const auto found = values_.find(output.name);
      if (found == values_.end()) return Corrupt(StrCat("output '", output.name, "' is computed by no node"));
      OnnxValue value = found->second;
      const auto is_in = [&](const std::vector<int32_t>& list) {
        return std::find(list.begin(), list.end(), value.tensor) != list.end();
      };
      if (value.is_constant()) return Unsupported(StrCat("output '", output.name, "' is a constant"));
      builder_.Begin(output.name);
      if (is_in(graph.inputs) || is_in(graph.outputs)) {
        QAT_ASSIGN_OR_RETURN(value, builder_.Copied(value));
      }
      QAT_ASSIGN_OR_RETURN_IN(StrCat("output '", output.name, "'"), value, OutputValue(value));
      if (is_in(graph.outputs)) {
        QAT_ASSIGN_OR_RETURN(value, builder_.Copied(value));
      }
      graph.outputs.push_back(value.tensor);
      builder_.Rename(value.tensor, output.name);
      values_[output.name] = value;
      if (graph.tensor(value.tensor).shape != value.shape || !IsIdentity(WithoutUnitAxes(value.order))) {
        notes_.push_back(StrCat("output '", output.name, "' gives ",
                                ToString(graph.tensor(value.tensor).shape), MovedText(value.order),
                                "; the source gives ", ToString(value.shape)));
      }
    }
    return {};
  }

  /// Channels last where they are so already, the batch first where recurrent layers have it second, else as
  /// ONNX has them. Three axes that no input has in that order are steps of tokens, and no channels.
  Expected<OnnxValue> OutputValue(const OnnxValue& value) {
    const AxisOrder own = WithoutUnitAxes(value.order);
    if (own == kStepsFirst && conversion_.unrolled_nodes > 0 && !value.flattened)
      return builder_.ToOrder(value, own);
    const bool has_channels = own == ChannelsLast(value.rank()) && (value.rank() != 3 || TakesChannels());
    if (!value.flattened && has_channels) return builder_.ToOrder(value, own);
    return builder_.ToPlain(value);
  }

  bool TakesChannels() const {
    return std::any_of(inputs_.begin(), inputs_.end(),
                       [&](const std::string& input) { return !IsIdentity(values_.at(input).order); });
  }

  Expected<OnnxImport> Finish() {
    Graph& graph = builder_.graph();
    graph.name = StemOf(model_.source);
    graph.scheme = conversion_.scheme;
    builder_.RemoveUnusedNodes();
    for (const auto& [name, value] : values_) {
      if (value.is_constant() || value.tensor < 0 || value.flattened) continue;
      // A transpose of ONNX's is the same tensor with other axes: the one that it is named after says how its
      // axes lie.
      const std::string& own = graph.tensor(value.tensor).name;
      if (name == own)
        result_.orders[own] = value.order;
      else
        result_.orders.emplace(own, value.order);
    }
    RemoveUnusedTensors(graph);
    QAT_ASSIGN_OR_RETURN(graph.contract, ContractFor(graph, inputs_, options_, result_.takes_bytes, notes_));
    SetClassNames(graph);
    graph.provenance["source_sha256"] = model_.sha256;
    QAT_RETURN_IF_ERROR(Verify(graph));
    Remark();
    Normalize(graph, notes_);
    QAT_RETURN_IF_ERROR(Verify(graph));
    result_.graph = std::move(graph);
    return std::move(result_);
  }

  void SetClassNames(Graph& graph) {
    if (ml_.class_names.empty() || graph.outputs.size() != 1) return;
    const Shape& scores = graph.tensor(graph.outputs[0]).shape;
    if (scores.empty() || scores.back() != std::ssize(ml_.class_names)) return;
    graph.contract.set_labels(ml_.class_names);
  }

  void Remark() {
    for (const std::string& output : ml_.left_out) {
      notes_.push_back(StrCat("output '", output,
                              "', the name of a class, is left out; the place of the largest value of '",
                              model_.graph.outputs[0].name, "' says which it is"));
    }
    const std::vector<std::string>& moved = builder_.transposed();
    if (!moved.empty()) {
      std::vector<std::string> places;
      for (const std::string& place : moved) places.push_back(StrCat("'", place, "'"));
      notes_.push_back(StrCat(moved.size(), moved.size() == 1 ? " transpose was" : " transposes were",
                              " added, since axes must lie in another order there: before ",
                              JoinSome(places, 3)));
    }
    if (!result_.batch_norms.empty()) {
      const size_t count = result_.batch_norms.size();
      notes_.push_back(StrCat(count,
                              count == 1 ? " batch normalization went into the filter"
                                         : " batch normalizations went into the filters",
                              " before; training takes ", count == 1 ? "it" : "them", " apart again"));
    }
    if (const auto& restored = conversion_.restored_activations; !restored.empty()) {
      notes_.push_back(
          StrCat(restored.size(), restored.size() == 1 ? " activation was" : " activations were",
                 " put back where a QuantizeLinear begins at 0, whose saturation took their place: ",
                 JoinSome(restored, 3)));
    }
    if (conversion_.batch_norms_in_training > 0) {
      notes_.push_back(
          StrCat(conversion_.batch_norms_in_training,
                 conversion_.batch_norms_in_training == 1 ? " batch normalization was"
                                                          : " batch normalizations were",
                 " exported in training mode; here they normalize by moving averages, as in eval mode"));
    }
  }

  onnx::Model& model_;
  const OnnxImportOptions& options_;
  std::vector<std::string>& notes_;
  OnnxImport result_;
  OnnxBuilder builder_;
  std::map<std::string, int> readers_;
  OnnxConversion conversion_;
  std::map<std::string, OnnxValue> values_;  // by ONNX's name
  OnnxSequences sequences_;
  std::set<std::string> unknown_;
  std::vector<std::string> inputs_;
  MlRewrite ml_;
  std::set<std::string> texts_;  // constants that are no numbers
  Refusals refusals_;
  std::string batch_hint_;
  int64_t file_values_ = 0, made_values_ = 0;  // of constants
};

}  // namespace

Expected<OnnxImport> ImportOnnx(onnx::Model model, const OnnxImportOptions& options,
                                std::vector<std::string>& notes) {
  const std::string source = model.source;
  QAT_ASSIGN_OR_RETURN_IN(source, OnnxImport result, Importer(model, options, notes).Run());
  return result;
}

}  // namespace qat
