#include "debug/diagnosis.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/strings.h"
#include "data/sample.h"
#include "eval/filter_resolution.h"
#include "eval/layer_error.h"
#include "eval/look_inside.h"
#include "eval/lowered_graph.h"
#include "quant/precision.h"
#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

constexpr float kFewSteps = 16;  // sign and four bits, as in eval/filter_resolution.cc

/// The first examples, in memory.
Expected<Bytes> FirstExamples(const Dataset& dataset, int64_t count) {
  Bytes examples(static_cast<size_t>(count * dataset.ImageSize()));
  QAT_RETURN_IF_ERROR(dataset.Read(FirstOf(count), examples));
  return examples;
}

const LayerOutput* Find(const std::vector<LayerOutput>& layers, const std::string& name) {
  const auto found =
      std::find_if(layers.begin(), layers.end(), [&](const LayerOutput& each) { return each.layer == name; });
  return found == layers.end() ? nullptr : &*found;
}

class Examination {
 public:
  Examination(const Converted& converted, const Quality& reference, const Dataset& selection,
              const WorkHooks& hooks)
      : converted_(converted), reference_(reference), selection_(selection), hooks_(hooks) {}

  /// With `float_layers` also the layer's own noise on a few examples.
  Status MeasureAlone(LayerDiagnosis& layer, const std::vector<std::vector<LayerOutput>>* float_layers,
                      const Bytes& examples) {
    QAT_ASSIGN_OR_RETURN(const IsolatedLayer alone, Isolate(converted_, layer.layer));
    QAT_ASSIGN_OR_RETURN(const auto predictor, RoundedPredictor(alone.graph));
    // progress is told by layer
    QAT_ASSIGN_OR_RETURN(const Quality quality, MeasureQuality(*predictor, selection_, hooks_.Quiet()));
    layer.only_loss = LossOf(reference_, quality);
    layer.output_sqnr_db = OutputSqnr(reference_, quality);
    if (float_layers == nullptr) return {};
    double signal = 0, noise = 0;
    const size_t size = examples.size() / float_layers->size();
    for (size_t i = 0; i < float_layers->size(); ++i) {
      QAT_ASSIGN_OR_RETURN(const auto rounded,
                           predictor->Layers(std::span(examples).subspan(i * size, size)));
      const LayerOutput* a = Find((*float_layers)[i], alone.before);
      const LayerOutput* b = Find(rounded, alone.after);
      if (a == nullptr || b == nullptr || a->values.size() != b->values.size()) return {};
      for (size_t k = 0; k < a->values.size(); ++k) {
        const double apart = double{a->values[k]} - b->values[k];
        signal += double{a->values[k]} * a->values[k];
        noise += apart * apart;
      }
    }
    layer.own_sqnr_db = DecibelsOf(signal, noise);
    return {};
  }

  /// All layers rounded but one, in real arithmetic: what is left of the loss when this layer is perfect.
  Status MeasureWithout(const std::vector<DebugLayer>& layers, LayerDiagnosis& layer) {
    std::vector<DebugLayer> others;
    for (const DebugLayer& each : layers) {
      if (each.name != layer.layer.name || each.node != layer.layer.node) others.push_back(each);
    }
    QAT_ASSIGN_OR_RETURN(const Graph graph, RoundLayers(converted_, others));
    QAT_ASSIGN_OR_RETURN(const auto predictor, RoundedPredictor(graph));
    QAT_ASSIGN_OR_RETURN(const Quality quality, MeasureQuality(*predictor, selection_, hooks_.Quiet()));
    layer.float_loss = LossOf(reference_, quality);
    return {};
  }

 private:
  /// The QUANTIZE and DEQUANTIZE nodes are what is looked at, so they stay, which LowerToModel takes out.
  static Expected<std::unique_ptr<Predictor>> RoundedPredictor(const Graph& graph) {
    QAT_ASSIGN_OR_RETURN(Bytes bytes, WriteTflite(graph, {}));
    QAT_ASSIGN_OR_RETURN(auto model, RunnableFromBytes(std::move(bytes), graph.name));
    return MakeModelPredictor(std::move(model), "rounded", "tflite", {}, &graph.contract);
  }

  const Converted& converted_;
  const Quality& reference_;
  const Dataset& selection_;
  const WorkHooks& hooks_;
};

void DescribeRange(const Converted& converted, const std::map<std::string, Observed>& observed,
                   LayerDiagnosis& layer) {
  const GraphTensor& tensor = converted.quantized.tensor(layer.layer.tensor);
  const QuantizationParams params = tensor.quantization->params();
  const Range range = RepresentableRange(params, LimitsOf(ActivationsOf(tensor.type)));
  layer.range = range;
  const auto found = observed.find(tensor.name);
  if (found == observed.end()) return;
  layer.observed = found->second.range;
  layer.channels = static_cast<int64_t>(found->second.channels.size());
  for (const float reach : found->second.channels)
    layer.coarse_channels += reach > 0 && reach / params.scale < kFewSteps;
}

void TakeLayerErrors(const std::vector<LayerError>& errors,
                     const std::map<std::string, FilterResolution>& filters, LayerDiagnosis& layer) {
  if (const auto filter = filters.find(layer.tensor); filter != filters.end()) layer.filter = filter->second;
  for (const LayerError& error : errors) {
    if (error.layer != layer.tensor) continue;
    layer.sqnr_db = error.sqnr_db;
    layer.clipped = error.clipped;
    layer.range_used = error.range_used;
    layer.histogram = error.histogram;
  }
}

std::vector<LayerDiagnosis> Unmeasured(const Converted& converted) {
  std::vector<LayerDiagnosis> layers;
  for (DebugLayer& layer : LayersOf(converted)) {
    LayerDiagnosis diagnosis;
    diagnosis.tensor = converted.quantized.tensor(layer.tensor).name;
    diagnosis.layer = std::move(layer);
    layers.push_back(std::move(diagnosis));
  }
  return layers;
}

}  // namespace

Expected<DebugData> SplitForDebugging(const Dataset& training, int64_t calibration, int64_t selection,
                                      uint64_t seed) {
  const int64_t size = training.size();
  if (size < 2)
    return Corrupt(
        StrCat(training.name, ": its training split holds ", size, " examples, expected two or more"));
  const bool enough = calibration + selection <= size && calibration > 0 && selection > 0;
  if (!enough && calibration > 0 && selection > 0)
    calibration = size * calibration / (calibration + selection);
  if (calibration == 0 || selection == 0) calibration = size / 2;
  calibration = std::clamp<int64_t>(calibration, 1, size - 1);
  const std::vector<int32_t> chosen = SampleOf(training, calibration, seed);
  const std::set<int32_t> taken(chosen.begin(), chosen.end());
  std::vector<int32_t> others;
  for (const int32_t each : FirstOf(size)) {
    if (!taken.contains(each)) others.push_back(each);
  }
  DebugData data = {training, training};
  Keep(chosen, data.calibration);
  Keep(others, data.selection);
  return data;
}

Expected<std::unique_ptr<Predictor>> PredictorOf(const Graph& real, const std::string& name) {
  QAT_ASSIGN_OR_RETURN(const auto model, LowerToModel(real, name));
  return MakeModelPredictor(model, name, "graph", {}, &real.contract);
}

Expected<std::unique_ptr<Predictor>> PredictorOf(const Converted& converted, const std::string& name) {
  QAT_ASSIGN_OR_RETURN(auto model, RunnableFromBytes(converted.model, name));
  return MakeModelPredictor(std::move(model), name, "tflite", {}, &converted.contract);
}

std::vector<size_t> RankLayers(const std::vector<LayerDiagnosis>& layers) {
  std::vector<size_t> places(layers.size());
  std::iota(places.begin(), places.end(), size_t{0});
  constexpr double kNone = 1e9;  // decibels
  const auto harm = [&](size_t place) {
    const LayerDiagnosis& layer = layers[place];
    return std::pair(layer.output_sqnr_db.value_or(kNone), -layer.only_loss.value_or(0));
  };
  std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) { return harm(a) < harm(b); });
  return places;
}

Expected<std::vector<LayerDiagnosis>> MeasureAlone(const Converted& converted, const Quality& reference,
                                                   const Dataset& selection, const WorkHooks& hooks) {
  std::vector<LayerDiagnosis> layers = Unmeasured(converted);
  Examination examination(converted, reference, selection, hooks);
  for (LayerDiagnosis& layer : layers) QAT_RETURN_IF_ERROR(examination.MeasureAlone(layer, nullptr, {}));
  return layers;
}

Expected<Diagnosis> Diagnose(const Converted& converted, const std::map<std::string, Observed>& observed,
                             const Dataset& selection, const WorkHooks& hooks) {
  Diagnosis out;
  out.network = converted.real.name;
  out.type = NameOf(converted.plan.precisions);
  out.task = NameOf(selection.task);
  QAT_ASSIGN_OR_RETURN(const auto real, PredictorOf(converted.real, "float"));
  QAT_ASSIGN_OR_RETURN(const auto quantized, PredictorOf(converted, "quantized"));
  QAT_ASSIGN_OR_RETURN(out.reference, MeasureQuality(*real, selection, hooks));
  QAT_ASSIGN_OR_RETURN(out.quantized, MeasureQuality(*quantized, selection, hooks));
  out.loss = LossOf(out.reference, out.quantized);
  out.output_sqnr_db = OutputSqnr(out.reference, out.quantized);

  const int64_t few = std::min<int64_t>(kLayerImages, selection.size());
  QAT_ASSIGN_OR_RETURN(const Bytes examples, FirstExamples(selection, few));
  QAT_ASSIGN_OR_RETURN(const auto errors, MeasureLayerErrors(*real, *quantized, examples, few, hooks));
  QAT_ASSIGN_OR_RETURN(const auto model, RunnableFromBytes(converted.model, converted.real.name));
  const auto filters = FilterResolutionsOf(*model);
  std::vector<std::vector<LayerOutput>> float_layers;
  const auto size = static_cast<size_t>(selection.ImageSize());
  for (size_t i = 0; i < static_cast<size_t>(few); ++i) {
    QAT_ASSIGN_OR_RETURN(float_layers.emplace_back(),
                         real->Layers(std::span(examples).subspan(i * size, size)));
  }
  out.layers = Unmeasured(converted);
  Examination examination(converted, out.reference, selection, hooks);
  const std::vector<DebugLayer> layers = LayersOf(converted);
  int64_t done = 0;
  for (LayerDiagnosis& layer : out.layers) {
    QAT_RETURN_IF_ERROR(hooks.Poll());
    DescribeRange(converted, observed, layer);
    TakeLayerErrors(errors, filters, layer);
    QAT_RETURN_IF_ERROR_IN(StrCat("layer '", layer.layer.name, "'"),
                           examination.MeasureAlone(layer, &float_layers, examples));
    QAT_RETURN_IF_ERROR_IN(StrCat("layer '", layer.layer.name, "'"),
                           examination.MeasureWithout(layers, layer));
    hooks.Progress("layers", ++done, std::ssize(out.layers));
  }
  out.ranking = RankLayers(out.layers);
  return out;
}

}  // namespace qat
