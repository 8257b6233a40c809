#include "calibrate/calibrate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "base/check.h"
#include "base/strings.h"
#include "ir/range_groups.h"
#include "passes/passes.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

constexpr int64_t kBatch = 64;  // images read at once

OutputQuantization RuleOf(const GraphNode& node) { return DefinitionOf(node.type).output_quantization; }

/// What the outputs of one graph did on the images seen so far.
class Observation {
 public:
  /// Which tensors of the model carry the outputs that need a range.
  Observation(const Graph& graph, const Model& model) {
    std::map<std::string_view, int32_t> by_name;
    for (size_t i = 0; i < model.tensors().size(); ++i)
      by_name[model.tensors()[i].name] = static_cast<int32_t>(i);
    // A quantize node is not in the model: it has the values of its input.
    std::map<int32_t, int32_t> carrier;
    for (const int32_t input : graph.inputs) carrier[input] = by_name.at(graph.tensor(input).name);
    for (const GraphNode& node : graph.nodes) {
      for (const int32_t output : node.outputs) {
        const auto found = by_name.find(graph.tensor(output).name);
        carrier[output] = found != by_name.end() ? found->second : carrier.at(node.inputs[0]);
        if (graph.tensor(output).type != DType::kFloat32) continue;
        if (RuleOf(node) == OutputQuantization::kOwnRange) seen_.push_back({output, carrier[output], {}});
      }
    }
  }

  /// Requires an Invoke before. Errors: kNumerical.
  Status Add(const Interpreter& interpreter) {
    for (Seen& seen : seen_) {
      QAT_ASSIGN_OR_RETURN(const std::span<const uint8_t> bytes, interpreter.tensor(seen.in_model));
      const std::span<const float> values(reinterpret_cast<const float*>(bytes.data()),
                                          bytes.size() / sizeof(float));
      if (!Widen(values, seen.range)) {
        const auto& name = interpreter.model().tensors()[static_cast<size_t>(seen.in_model)].name;
        return Numerical(StrCat("output '", name, "' has a value that is not finite"));
      }
    }
    return {};
  }

  std::map<int32_t, Range> Ranges() const {
    std::map<int32_t, Range> ranges;
    for (const Seen& seen : seen_) ranges[seen.in_graph] = seen.range;
    return ranges;
  }

 private:
  struct Seen {
    int32_t in_graph, in_model;
    Range range;  // holds 0 from the start
  };

  // False where a value is not finite. Kernels clamp infinity to the largest float.
  static bool Widen(std::span<const float> values, Range& range) {
    bool finite = true;
    for (const float value : values) {
      range.min = std::min(range.min, value);
      range.max = std::max(range.max, value);
      finite &= std::abs(value) < std::numeric_limits<float>::max();
    }
    return finite;
  }

  std::vector<Seen> seen_;
};

Expected<std::unique_ptr<Interpreter>> FloatInterpreter(const Graph& graph) {
  Graph real = graph;
  std::vector<std::string> none;
  QuantizationOptions to_float;
  to_float.scheme = Scheme::kFloat32;
  QAT_RETURN_IF_ERROR(ChooseQuantization(real, to_float, none));
  QAT_ASSIGN_OR_RETURN(Bytes bytes, WriteTflite(real, {}));
  QAT_ASSIGN_OR_RETURN(auto model, RunnableFromBytes(std::move(bytes), graph.name));
  InterpreterOptions options;
  options.keep_intermediates = true;
  return Interpreter::Create(std::move(model), options);
}

// `input_ranges`: what the values that go into each input reach, normalized, with 0.
Expected<std::map<int32_t, Range>> Observe(const Graph& graph, const Dataset& dataset, const CalibrationProgress& progress,
                                           std::vector<Range>& input_ranges) {
  QAT_ASSIGN_OR_RETURN(const auto interpreter, FloatInterpreter(graph));
  Observation observation(graph, interpreter->model());
  std::vector<RealTable> tables;
  for (const InputContract& input : graph.contract.inputs) tables.push_back(MakeRealTable(input));
  const auto image_size = static_cast<size_t>(dataset.ImageSize());
  const auto load = [&](size_t index, std::span<const uint8_t> values) {
    const std::span<uint8_t> input = interpreter->input(index);
    const std::span<float> reals(reinterpret_cast<float*>(input.data()), input.size() / sizeof(float));
    ToReal(graph.contract.inputs[index], tables[index], values, reals);
    const auto [low, high] = std::minmax_element(reals.begin(), reals.end());
    Range& range = input_ranges[index];
    range = {std::min(range.min, *low), std::max(range.max, *high)};
  };
  Bytes copy;
  const auto run = [&](int64_t first, int64_t count, std::span<const uint8_t> images) -> Status {
    for (int64_t i = 0; i < count; ++i) {
      const auto example = images.subspan(static_cast<size_t>(i) * image_size, image_size);
      for (size_t k = 0; k < tables.size(); ++k) load(k, InputOf(graph.contract, k, example, copy));
      interpreter->Invoke();
      QAT_RETURN_IF_ERROR_IN(StrCat("image ", first + i), observation.Add(*interpreter));
      QAT_RETURN_IF_ERROR(progress(first + i + 1, dataset.size()));
    }
    return {};
  };
  QAT_RETURN_IF_ERROR(ForEachBatch(dataset, kBatch, run));
  return observation.Ranges();
}

// Tensors that share a scale get the union of their ranges.
void Unite(const Graph& graph, std::map<int32_t, Range>& ranges) {
  for (const RangeGroup& group : FindRangeGroups(graph).groups) {
    Range all;
    const auto widen = [&](Range range) { all = {std::min(all.min, range.min), std::max(all.max, range.max)}; };
    for (const int32_t tensor : group.observed) widen(ranges.at(tensor));
    widen(group.constants);
    for (const int32_t tensor : group.observed) ranges[tensor] = all;
  }
}

void ForgetTrainedRanges(Graph& graph) {
  for (GraphTensor& tensor : graph.tensors) {
    tensor.has_range = false;
    tensor.range = {};
    tensor.limits = {};
  }
}

void SetRanges(const std::map<int32_t, Range>& ranges, QuantizedLimits limits, Graph& graph,
               std::vector<std::string>& warnings) {
  std::vector<std::string> dead;
  for (const auto& [index, range] : ranges) {
    GraphTensor& tensor = graph.tensor(index);
    tensor.has_range = true;
    tensor.range = range;
    tensor.limits = limits;
    if (range.min == 0 && range.max == 0) dead.push_back(tensor.name);
  }
  if (!dead.empty()) warnings.push_back(StrCat("ranges of width 0, only 0 was seen: ", Join(dead)));
}

}  // namespace

Status Calibrate(const Dataset& dataset, const Precisions& precisions, const CalibrationProgress& progress, Graph& graph,
                 std::vector<std::string>& warnings) {
  QAT_CHECK(precisions.activations.type != DType::kFloat32);
  if (dataset.size() == 0) return Corrupt(StrCat(dataset.name, ": holds no images to calibrate with"));
  QAT_RETURN_IF_ERROR(CheckInputs(dataset, graph.contract, StrCat("network '", graph.name, "'")));
  std::vector<Range> input_ranges(graph.inputs.size());
  QAT_ASSIGN_OR_RETURN(auto ranges, Observe(graph, dataset, progress, input_ranges));
  for (size_t i = 0; i < input_ranges.size(); ++i) {
    InputContract& input = graph.contract.inputs[i];
    if (input.values != ValueType::kReal) continue;
    const bool any = input_ranges[i].min < input_ranges[i].max;
    input.low = any ? input_ranges[i].min : -1;
    input.high = any ? input_ranges[i].max : 1;
  }
  QAT_ASSIGN_OR_RETURN(const std::string fingerprint, Fingerprint(dataset));
  Unite(graph, ranges);
  ForgetTrainedRanges(graph);
  SetRanges(ranges, LimitsOf(precisions.activations), graph, warnings);
  graph.scheme = NameOf(precisions);
  graph.provenance["calibration_images"] = std::to_string(dataset.size());
  graph.provenance["calibration_sha256"] = fingerprint;
  return {};
}

}  // namespace qat
