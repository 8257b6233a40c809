#include "import/import_tflite.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/strings.h"
#include "import/constants.h"
#include "import/model_parts.h"
#include "import/normalize.h"
#include "import/per_channel.h"
#include "import/real_input.h"
#include "model/model_contract.h"
#include "model/model_reader.h"
#include "model/signatures.h"
#include "quant/precision.h"
#include "quant/scheme.h"
#include "runtime/prepared_model.h"

namespace qat {
namespace {

bool Contains(const std::vector<int32_t>& list, int32_t index) {
  return std::find(list.begin(), list.end(), index) != list.end();
}

bool IsWholeNumber(const ModelTensor& input) {
  return (input.type == DType::kInt32 || input.type == DType::kInt64) && input.scale.empty();
}

/// "model" of "dir/model.tflite".
std::string StemOf(const std::string& path) {
  const std::string file = path.substr(path.find_last_of('/') + 1);
  return file.substr(0, file.rfind('.'));
}

class Importer {
 public:
  Importer(const Model& model, const PreparedModel& prepared)
      : model_(model), prepared_(prepared), graph_tensor_(model.tensors().size(), -1) {}

  Expected<Graph> Run() {
    graph_.name = StemOf(model_.source());
    graph_.scheme = "float32";
    for (const int32_t input : model_.inputs()) graph_.inputs.push_back(AddInput(input));
    for (size_t i = 0; i < model_.nodes().size(); ++i) {
      const ModelNode& node = model_.nodes()[i];
      if (prepared_.nodes[i].kernel == nullptr) continue;  // it is a constant
      QAT_RETURN_IF_ERROR_IN(NodeLabel(model_.place_of(i), DefinitionOf(node.type)), AddNode(node));
    }
    QAT_RETURN_IF_ERROR(SetOutputs());
    if (has_16_bits_ && !has_8_bits_)
      graph_.scheme = NameOf(*IntegersFromName("int16x8"));
    else if (graph_.scheme == NameOf(Scheme::kInt8))
      graph_.scheme = NameOf(Precisions{PrecisionsOf(Scheme::kInt8).activations, Filters()});
    RemoveUnusedTensors(graph_);
    return std::move(graph_);
  }

 private:
  const ModelTensor& Source(int32_t index) const { return prepared_.tensors[static_cast<size_t>(index)]; }
  int32_t& Mapped(int32_t index) { return graph_tensor_[static_cast<size_t>(index)]; }

  std::string UniqueName(const std::string& wanted) {
    const std::string base = wanted.empty() ? std::string("tensor") : wanted;
    std::string name = base;
    for (int i = 1; !names_.insert(name).second; ++i) name = StrCat(base, "_", i);
    return name;
  }

  /// A tensor of real numbers for one that is, else one of the same type.
  int32_t AddComputed(int32_t index, bool is_real) {
    const ModelTensor& source = Source(index);
    GraphTensor tensor;
    tensor.name = UniqueName(source.name);
    tensor.shape = source.shape;
    tensor.type = is_real ? DType::kFloat32 : source.type;
    const int32_t added = graph_.AddTensor(std::move(tensor));
    TakeRange(source, graph_.tensor(added));
    return Mapped(index) = added;
  }

  /// What the integers of `source` can stand for, where no tensor before it has said so.
  void TakeRange(const ModelTensor& source, GraphTensor& tensor) {
    if (source.scale.size() != 1 || source.scale[0] <= 0 || tensor.has_range || tensor.is_constant()) return;
    if (source.type != DType::kInt8 && source.type != DType::kUInt8 && source.type != DType::kInt16) return;
    tensor.has_range = true;
    tensor.range = RangeOf(source);
    tensor.limits = ActivationLimitsOf(source.type == DType::kUInt8 ? Scheme::kUInt8 : Scheme::kInt8);
    if (source.type == DType::kInt16) tensor.limits = LimitsOf(kInt16Activations);
    (source.type == DType::kInt16 ? has_16_bits_ : has_8_bits_) = true;
    SetScheme(source.type == DType::kUInt8 ? Scheme::kUInt8 : Scheme::kInt8);
  }

  /// Models of int8 may have bytes at their borders; those of uint8 have nothing else.
  void SetScheme(Scheme scheme) {
    if (graph_.scheme != NameOf(Scheme::kInt8)) graph_.scheme = NameOf(scheme);
  }

  /// Those of a model of int8: 4 bits where some filter has them; one scale per filter where none has a scale
  /// per channel.
  Precision Filters() const {
    bool per_tensor = false, per_axis = false;
    for (const ModelNode& node : model_.nodes()) {
      const int32_t position = DefinitionOf(node.type).filter_input;
      if (position < 0 || static_cast<size_t>(position) >= node.inputs.size()) continue;
      const ModelTensor& filter = Source(node.inputs[static_cast<size_t>(position)]);
      if (filter.file_type == DType::kInt4) return kInt4FiltersPerAxis;
      per_axis = per_axis || filter.scale.size() > 1;
      const auto axis = static_cast<size_t>(DefinitionOf(node.type).filter_channel_axis);
      per_tensor = per_tensor || (filter.is_constant && filter.scale.size() == 1 &&
                                  axis < filter.shape.size() && filter.shape[axis] > 1);
    }
    return per_tensor && !per_axis ? kInt8Filters : kInt8FiltersPerAxis;
  }

  /// Whole numbers, as indices of a table, come in as real ones and are cast: data are bytes or real numbers.
  int32_t AddWholeNumbers(int32_t index) {
    const ModelTensor& source = Source(index);
    GraphTensor input;
    input.name = UniqueName(source.name);
    input.shape = source.shape;
    const int32_t real = graph_.AddTensor(std::move(input));
    GraphNode cast;
    cast.type = OpType::kCast;
    cast.attributes = CastAttributes{source.type};
    cast.inputs = {real};
    cast.outputs = {AddComputed(index, false)};
    cast.name = graph_.tensor(cast.outputs[0]).name;
    graph_.nodes.push_back(std::move(cast));
    return real;
  }

  int32_t AddInput(int32_t index) {
    if (IsWholeNumber(Source(index))) return AddWholeNumbers(index);
    return AddComputed(index, IsReal(Source(index)) || IsRawNumber(model_, index));
  }

  Status AddNode(const ModelNode& node) {
    if (const int32_t same = SameAs(model_, prepared_.tensors, node); same >= 0) {
      // The same real numbers under another name, which counts if it is that of an output.
      QAT_ASSIGN_OR_RETURN(const int32_t input, Operand(same));
      Mapped(node.outputs[0]) = input;
      TakeRange(Source(node.outputs[0]), graph_.tensor(input));
      return {};
    }
    GraphNode added;
    added.type = node.type;
    added.attributes = node.attributes;
    SetRealAttributes(added.attributes);
    // Converters leave the option out.
    if (node.type == OpType::kCast) added.attributes = CastAttributes{Source(node.outputs[0]).type};
    QAT_RETURN_IF_ERROR(AddOperands(node, added));
    for (const int32_t output : node.outputs)
      added.outputs.push_back(AddComputed(output, IsReal(Source(output))));
    added.name = graph_.tensor(added.outputs[0]).name;
    if (node.type == OpType::kReshape) QAT_RETURN_IF_ERROR(SetShape(node, added));
    graph_.nodes.push_back(std::move(added));
    return {};
  }

  /// Filters may be read by several nodes, as they are to all; biases and operands are quantized for each.
  Status AddOperands(const ModelNode& node, GraphNode& added) {
    const OpDefinition& definition = DefinitionOf(node.type);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const int32_t index = node.inputs[i];
      const auto position = static_cast<int32_t>(i);
      int32_t operand = -1;
      if (!Source(index).is_constant) {
        QAT_ASSIGN_OR_RETURN(operand, Operand(index));
      } else if (position == definition.bias_input) {
        QAT_ASSIGN_OR_RETURN(operand, AddBias(node, index));
      } else if (position == definition.filter_input) {
        QAT_ASSIGN_OR_RETURN(operand, Operand(index));
      } else {
        QAT_ASSIGN_OR_RETURN(operand, AddConstant(index));
      }
      added.inputs.push_back(operand);
    }
    return {};
  }

  /// The tensor that stands for one of the model, a constant too: always the same.
  Expected<int32_t> Operand(int32_t index) {
    if (Mapped(index) >= 0) return Mapped(index);
    if (!Source(index).is_constant)
      return Corrupt(StrCat("reads '", Source(index).name, "', which has no value yet"));
    QAT_ASSIGN_OR_RETURN(const int32_t added, AddConstant(index));
    return Mapped(index) = added;
  }

  Expected<int32_t> AddConstant(int32_t index) {
    const ModelTensor& source = Source(index);
    if (!IsReal(source)) return AddIntegers(index);
    QAT_ASSIGN_OR_RETURN(const std::vector<float> values, RealValues(source));
    if (values.empty()) return Unsupported(StrCat("constant '", source.name, "' is empty"));
    return graph_.AddConstant(UniqueName(source.name), source.shape, values);
  }

  /// Indices and the like, as they are: once, whoever reads them.
  Expected<int32_t> AddIntegers(int32_t index) {
    if (Mapped(index) >= 0) return Mapped(index);
    const ModelTensor& source = Source(index);
    if (source.constant.empty()) return Unsupported(StrCat("constant '", source.name, "' is empty"));
    GraphTensor tensor;
    tensor.name = UniqueName(source.name);
    tensor.shape = source.shape;
    tensor.type = source.type;
    tensor.data.assign(source.constant.begin(), source.constant.end());
    return Mapped(index) = graph_.AddTensor(std::move(tensor));
  }

  Expected<int32_t> AddBias(const ModelNode& node, int32_t index) {
    const OpDefinition& definition = DefinitionOf(node.type);
    const ModelTensor& bias = Source(index);
    const ModelTensor& data = Source(node.inputs[static_cast<size_t>(definition.data_input)]);
    const ModelTensor& filter = Source(node.inputs[static_cast<size_t>(definition.filter_input)]);
    if (bias.type == DType::kFloat32 || data.scale.size() != 1) return AddConstant(index);
    QAT_ASSIGN_OR_RETURN(const std::vector<float> values, RealBias(bias, data.scale[0], filter.scale));
    if (values.empty()) return Unsupported(StrCat("constant '", bias.name, "' is empty"));
    return graph_.AddConstant(UniqueName(bias.name), bias.shape, values);
  }

  /// A shape that was computed has the example's batch in it: left open, the model can still be resized to
  /// any.
  Status SetShape(const ModelNode& node, GraphNode& added) {
    const Shape& output = graph_.tensor(added.outputs[0]).shape;
    const Shape& input = graph_.tensor(added.inputs[0]).shape;
    std::vector<int32_t> sizes(output.begin(), output.end());
    const bool computed =
        node.inputs.size() > 1 && !model_.tensors()[static_cast<size_t>(node.inputs[1])].is_constant;
    if (!computed && added.inputs.size() > 1) return {};
    const bool keeps_batch = !input.empty() && !output.empty() && input[0] == 1 && output[0] == 1;
    if (computed && keeps_batch) sizes[0] = -1;
    added.inputs.resize(1);
    added.attributes = ReshapeAttributes{Shape(sizes.begin(), sizes.end())};
    if (!sizes.empty()) {
      added.inputs.push_back(graph_.AddConstant(UniqueName(StrCat(added.name, "/shape")),
                                                {static_cast<int32_t>(sizes.size())}, sizes));
    }
    return {};
  }

  Status SetOutputs() {
    for (const int32_t output : model_.outputs()) {
      const int32_t tensor = Mapped(output);
      if (tensor < 0 || graph_.tensor(tensor).is_constant() || Contains(graph_.inputs, tensor))
        return Unsupported(
            StrCat("output '", Source(output).name, "' is a constant or an input of the model"));
      if (Contains(graph_.outputs, tensor))
        return Unsupported(StrCat("output '", Source(output).name, "' is the same as another output"));
      graph_.outputs.push_back(tensor);
      Rename(tensor, Source(output).name);
    }
    return {};
  }

  /// People know an output by its name, not by that of what is left of it.
  void Rename(int32_t tensor, const std::string& wanted) {
    GraphTensor& renamed = graph_.tensor(tensor);
    if (renamed.name == wanted || wanted.empty() || names_.count(wanted) > 0) return;
    for (GraphNode& node : graph_.nodes) {
      if (node.name == renamed.name && node.outputs[0] == tensor) node.name = wanted;
    }
    names_.erase(renamed.name);
    renamed.name = wanted;
    names_.insert(wanted);
  }

  const Model& model_;
  const PreparedModel& prepared_;
  Graph graph_;
  std::vector<int32_t> graph_tensor_;  // by tensor of the model; -1: none yet
  std::set<std::string> names_;
  bool has_8_bits_ = false, has_16_bits_ = false;  // activations
};

Error RefuseChannelsFirst() {
  return Unsupported(
      "was written with its channels first (`input_layout` nchw), which is the last step of a conversion; "
      "give the network that it was made from");
}

/// Whether a QUANTIZE of the source says which real numbers its integers stand for.
bool HasEnds(const GraphTensor& input) { return input.has_range && input.range.min < input.range.max; }

/// Inputs of reals that do not know how far they reach, as the QUANTIZE says that reads them.
void TakeRangesOfInputs(const Graph& graph, Contract& contract) {
  for (size_t i = 0; i < contract.inputs.size(); ++i) {
    InputContract& input = contract.inputs[i];
    const GraphTensor& tensor = graph.tensor(graph.inputs[i]);
    if (input.values != ValueType::kReal || input.low < input.high || !HasEnds(tensor)) continue;
    input.low = std::min(tensor.range.min, 0.0f);
    input.high = std::max(tensor.range.max, 0.0f);
  }
}

/// Each of several inputs as the caller says, as the model does, else as it is.
Expected<Contract> ChooseForSeveral(const Model& model, const Graph& graph,
                                    const TfliteImportOptions& options, std::vector<std::string>& notes) {
  QAT_ASSIGN_OR_RETURN(const ModelContract found, ContractOf(model));
  Contract contract = found.contract;
  TakeRangesOfInputs(graph, contract);
  for (const InputContract& input : contract.inputs) {
    if (input.channels_first) return RefuseChannelsFirst();
  }
  QAT_RETURN_IF_ERROR(
      TakeNormalizations(options.mean, options.std, options.mean_of, options.std_of, contract));
  QAT_RETURN_IF_ERROR(Validate(contract));
  notes.push_back(DescribeInputs(contract));
  return contract;
}

/// What a byte means to the model: as the caller says, as the model does, else the number that it is.
Expected<Contract> ChooseContract(const Model& model, const Graph& graph, const TfliteImportOptions& options,
                                  std::vector<std::string>& notes) {
  if (graph.inputs.size() > 1) return ChooseForSeveral(model, graph, options, notes);
  if (!options.mean_of.empty() || !options.std_of.empty())
    return InvalidArgument(
        "`mean` and `std`: name an input, expected numbers alone: the model has one input");
  const auto found = ContractOf(model);
  if (found.ok() && found->contract.input().channels_first) return RefuseChannelsFirst();
  const bool stated = !options.mean.empty() || !options.std.empty();
  if (found.ok() && !stated) {
    Contract contract = found->contract;
    TakeRangesOfInputs(graph, contract);
    return contract;
  }
  const auto or_one = [](const std::vector<float>& values, float one) {
    return values.empty() ? std::vector<float>{one} : values;
  };
  if (found.ok() && found->contract.input().values == ValueType::kReal) {
    Contract reals = found->contract;
    InputContract& input = reals.input();
    QAT_RETURN_IF_ERROR(ExpectNotNormalized(input));
    QAT_ASSIGN_OR_RETURN(input.mean, PerChannel("mean", or_one(options.mean, 0), input.channels));
    QAT_ASSIGN_OR_RETURN(input.std, PerChannel("std", or_one(options.std, 1), input.channels));
    TakeRangesOfInputs(graph, reals);
    return reals;
  }
  const Shape& shape = graph.tensor(graph.inputs[0]).shape;
  if (shape.size() != 4 || shape[0] != 1 || graph.inputs.size() != 1) return found.error();
  Contract contract = {shape[1], shape[2], shape[3],
                       {},       {},       found.ok() ? found->contract.labels() : model.labels()};
  QAT_ASSIGN_OR_RETURN(contract.input().mean, PerChannel("mean", or_one(options.mean, 0), shape[3]));
  QAT_ASSIGN_OR_RETURN(contract.input().std, PerChannel("std", or_one(options.std, 1), shape[3]));
  if (const GraphTensor& tensor = graph.tensor(graph.inputs[0]); !stated && HasEnds(tensor)) {
    TakeMeaningOfBytes(tensor.range, contract.input());
    notes.push_back(StrCat("a byte of a picture is what QUANTIZE makes of it: ", Describe(contract),
                           " (`mean` and `std` say otherwise)"));
  } else if (!stated) {
    notes.push_back(
        "the model does not say what a byte of a picture means to its input, so real = byte is assumed "
        "(`mean` and "
        "`std` say otherwise)");
  } else if (found.ok() && found->source != ContractSource::kQuantizedInput && found->contract != contract) {
    notes.push_back(StrCat("the model says that its input is ", Describe(found->contract),
                           "; `mean` and `std` say ", Describe(contract)));
  }
  return contract;
}

/// Several inputs or outputs are called in the graph as everywhere else, where no other tensor has that name.
void TakeNames(const std::vector<std::string>& names, const std::vector<int32_t>& tensors, Graph& graph) {
  for (size_t i = 0; names.size() > 1 && i < names.size(); ++i) {
    const bool taken = std::any_of(graph.tensors.begin(), graph.tensors.end(),
                                   [&](const GraphTensor& each) { return each.name == names[i]; });
    if (!taken) graph.tensor(tensors[i]).name = names[i];
  }
}

void TakeSignature(const Model& model, const TfliteImportOptions& options, Graph& graph,
                   std::vector<std::string>& notes) {
  graph.signature = SignatureOf(model, options.signature);
  const std::string others = options.signature.empty() ? DescribeOtherSignatures(model) : "";
  if (!others.empty()) notes.push_back(StrCat(others, " (`signature` chooses)"));
}

}  // namespace

Expected<Graph> ImportTflite(const Model& model, const TfliteImportOptions& options,
                             std::vector<std::string>& notes) {
  QAT_RETURN_IF_ERROR_IN(model.source(), CheckImportable(model, {}));
  InterpreterOptions prepare;
  prepare.kernels = KernelSet::kReference;
  prepare.keep_intermediates = true;
  prepare.input_shapes = ShapesWithBatchOne(model);
  QAT_ASSIGN_OR_RETURN(const auto prepared, PrepareModel(model, prepare));
  std::vector<bool> stays;
  for (const PreparedNode& node : prepared->nodes) stays.push_back(node.kernel != nullptr);
  QAT_RETURN_IF_ERROR_IN(model.source(), CheckImportable(model, stays));
  QAT_ASSIGN_OR_RETURN_IN(model.source(), Graph graph, Importer(model, *prepared).Run());
  QAT_ASSIGN_OR_RETURN_IN(model.source(), graph.contract, ChooseContract(model, graph, options, notes));
  for (const int32_t input : model.inputs()) {
    const ModelTensor& tensor = model.tensors()[static_cast<size_t>(input)];
    if (!IsWholeNumber(tensor)) continue;
    notes.push_back(DescribeWholeNumbers(tensor.name, NameOf(tensor.type)));
  }
  TakeNames(InputNames(model), graph.inputs, graph);
  TakeNames(OutputNames(model), graph.outputs, graph);
  TakeSignature(model, options, graph, notes);
  graph.provenance = model.provenance();
  graph.provenance["source_sha256"] = Sha256(model.file_bytes());
  QAT_RETURN_IF_ERROR_IN(model.source(), Verify(graph));
  Normalize(graph, notes);
  QAT_RETURN_IF_ERROR_IN(model.source(), Verify(graph));
  return graph;
}

}  // namespace qat
