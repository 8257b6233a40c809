#include "eval/look_inside.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/strings.h"
#include "contract/provenance.h"
#include "eval/filter_resolution.h"
#include "eval/layer_diff.h"
#include "eval/layer_error.h"
#include "report/main_rows.h"

namespace qat {
namespace {

constexpr int64_t kImagesWithoutCommonStep = 4;

bool IsInteger(const Row& row) { return !ComputesInFloat(row.result); }

bool IsIntegerModel(const Row& row) { return row.result.kind == "tflite" && IsInteger(row); }

Row* RowNamed(Rows& rows, std::string_view name) {
  for (Row& row : rows.rows) {
    if ((row.listed || !row.twin.empty()) && row.result.name == name) return &row;
  }
  return nullptr;
}

Expected<Bytes> ReadImages(const Dataset& dataset, int64_t first, int64_t count) {
  std::vector<int32_t> examples;
  for (int64_t i = 0; i < count; ++i) examples.push_back(static_cast<int32_t>(first + i));
  Bytes images(static_cast<size_t>(count * dataset.ImageSize()));
  QAT_RETURN_IF_ERROR(dataset.Read(examples, images));
  return images;
}

bool HaveCommonStep(const Predictions& a, const Predictions& b) {
  return a.step > 0 && a.step == b.step && a.scores.size() == b.scores.size() && !a.scores.empty();
}

// The image that holds the first of its values, of as many each, that differs; -1: none does.
template <class T>
int64_t FirstImageThatDiffers(const std::vector<T>& a, const std::vector<T>& b, int64_t images) {
  const auto place = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  return place == a.end() ? -1 : std::distance(a.begin(), place) / (std::ssize(a) / images);
}

// The images to look at: that whose outputs are the first to differ, or the first few where outputs do not
// tell.
std::vector<int64_t> ImagesToLookAt(const Predictions& a, const Predictions& b, const Dataset& dataset) {
  const int64_t count = dataset.size();
  std::vector<int64_t> images;
  const bool common_step = HaveCommonStep(a, b);
  for (int64_t i = 0; !common_step && i < std::min(count, kImagesWithoutCommonStep); ++i) images.push_back(i);
  const int64_t first = common_step ? FirstImageThatDiffers(a.scores, b.scores, count)
                                    : FirstImageThatDiffers(a.labels, b.labels, count);
  if (first >= 0) images.push_back(first);
  return images;
}

// More than half of the layers that both have lie on other grids.
bool AreQuantizedApart(const std::vector<LayerOutput>& a, const std::vector<LayerOutput>& b) {
  int64_t common = 0, apart = 0;
  for (const LayerOutput& layer : b) {
    const auto same = [&](const LayerOutput& other) { return other.layer == layer.layer; };
    const auto found = std::find_if(a.begin(), a.end(), same);
    if (found == a.end() || layer.step == 0 || found->step == 0) continue;
    ++common;
    apart += found->step != layer.step || found->zero_point != layer.zero_point;
  }
  return 2 * apart > common;
}

// More than half of the filters have another number of bits, or of scales.
bool HasFiltersApart(const Model& model, const Precision& trained) {
  int64_t filters = 0, apart = 0;
  for (const ModelNode& node : model.nodes()) {
    const OpDefinition& definition = DefinitionOf(node.type);
    const int32_t place = definition.filter_input;
    if (place < 0 || static_cast<size_t>(place) >= node.inputs.size() || node.inputs[place] < 0) continue;
    const ModelTensor& filter = model.tensors()[static_cast<size_t>(node.inputs[place])];
    const auto axis = static_cast<size_t>(definition.filter_channel_axis);
    if (!filter.is_constant || filter.scale.empty() || axis >= filter.shape.size()) continue;
    const bool several = filter.shape[axis] > 1;
    ++filters;
    apart += (filter.file_type == DType::kInt4 ? 4 : 8) != trained.bits ||
             (several && (filter.scale.size() > 1) != trained.per_axis());
  }
  return 2 * apart > filters;
}

Status FindFirstDifference(Row& a, Row& b, const Dataset& dataset, const WorkHooks& hooks, PairResult& pair,
                           Report& report) {
  if (a.filters && b.model != nullptr && HasFiltersApart(*b.model, *a.filters)) {
    report.warnings.push_back(StrCat(b.result.name, ": its filters have other bits or scales than those of ",
                                     a.result.name, ", so the two are not compared step by step"));
    pair.quantized_apart = true;
    return {};
  }
  // Softmax and its like have the same grid whatever the data say, so a count of layers may miss it.
  const bool calibrated = a.filters && b.model != nullptr && IsCalibrated(b.result.provenance);
  for (const int64_t image : ImagesToLookAt(a.predictions, b.predictions, dataset)) {
    QAT_RETURN_IF_ERROR(hooks.Poll());
    QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadImages(dataset, image, 1));
    QAT_ASSIGN_OR_RETURN_IN(a.result.name, const auto layers_a, a.predictor->Layers(bytes));
    QAT_ASSIGN_OR_RETURN_IN(b.result.name, const auto layers_b, b.predictor->Layers(bytes));
    if (calibrated || AreQuantizedApart(layers_a, layers_b)) {
      report.warnings.push_back(StrCat(b.result.name, ": was quantized with different ranges from ",
                                       a.result.name, ", so the two are not compared step by step"));
      pair.quantized_apart = true;
      return {};
    }
    pair.first_difference = FirstDifference(layers_a, layers_b);
    if (!pair.first_difference) continue;
    pair.first_difference->example = dataset.IndexOf(image);
    return {};
  }
  return {};
}

Row* FloatReference(Rows& rows) {
  for (const char* name : {"graph", "checkpoint"}) {
    if (Row* row = RowNamed(rows, name)) return row;
  }
  const auto is_float_model = [](const Row& row) { return row.result.kind == "tflite" && !IsInteger(row); };
  const auto found = std::find_if(rows.rows.begin(), rows.rows.end(), is_float_model);
  return found == rows.rows.end() ? nullptr : &*found;
}

void AddFilterResolutions(const Model& model, std::vector<LayerError>& errors) {
  const auto resolutions = FilterResolutionsOf(model);
  for (LayerError& error : errors) {
    if (const auto found = resolutions.find(error.layer); found != resolutions.end())
      error.filter = found->second;
  }
}

Status AddLayerErrors(Rows& rows, const Dataset& dataset, const WorkHooks& hooks, Report& report) {
  Row* reference = FloatReference(rows);
  if (reference == nullptr) return {};
  std::vector<Row*> judged;
  for (Row& row : rows.rows) {
    if (row.listed && IsIntegerModel(row)) judged.push_back(&row);
  }
  if (Row* simulated = RowNamed(rows, "simulated"); judged.empty() && simulated != nullptr)
    judged.push_back(simulated);
  const int64_t count = std::min(kLayerImages, dataset.size());
  QAT_ASSIGN_OR_RETURN(const Bytes images, ReadImages(dataset, 0, count));
  for (Row* row : judged) {
    QAT_ASSIGN_OR_RETURN(auto errors,
                         MeasureLayerErrors(*reference->predictor, *row->predictor, images, count, hooks));
    if (row->model != nullptr) AddFilterResolutions(*row->model, errors);
    std::move(errors.begin(), errors.end(), std::back_inserter(report.layers));
  }
  return {};
}

}  // namespace

Status LookInside(Rows& rows, const Dataset& dataset, const WorkHooks& hooks, Report& report) {
  for (PairResult& pair : report.pairs) {
    Row* a = RowNamed(rows, pair.a);
    Row* b = RowNamed(rows, pair.b);
    if (a == nullptr || b == nullptr || !IsInteger(*a) || !IsInteger(*b)) continue;
    QAT_RETURN_IF_ERROR(FindFirstDifference(*a, *b, dataset, hooks, pair, report));
  }
  return AddLayerErrors(rows, dataset, hooks, report);
}

}  // namespace qat
