#include "weights/take_weights.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/columns.h"
#include "base/printable.h"
#include "base/strings.h"
#include "weights/leftovers.h"

namespace qat {
namespace {

constexpr float kPyTorchEpsilon = 1e-5f;
std::string_view NameOf(MatchedBy by) {
  switch (by) {
    case MatchedBy::kMap:
      return "map";
    case MatchedBy::kName:
      return "name";
    case MatchedBy::kOrder:
      return "order and shape";
    case MatchedBy::kNothing:
      break;
  }
  return "-";
}

using Row = std::vector<std::string>;  // ours, shape, theirs, shape, how it lies, how it was found

class Taker {
 public:
  Taker(const std::vector<NetworkLayer>& layers, const WeightsFile& file, const TakeOptions& options)
      : layers_(layers), file_(file), options_(options) {}

  Expected<TakenWeights> Run() {
    match_options_ = {options_.layout.value_or(GuessLayout(file_)), options_.channels_last, options_.names};
    QAT_ASSIGN_OR_RETURN(matching_, Match(layers_, file_, match_options_));
    rows_.push_back({"ours", "shape", "theirs", "shape", "arranged", "matched by"});
    QAT_RETURN_IF_ERROR(RefuseUnfilled(layers_, file_, matching_, match_options_.layout));
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (!matching_.layers[i].fresh)
        QAT_RETURN_IF_ERROR_IN(StrCat("layer '", layers_[i].name, "'"),
                               Take(layers_[i], matching_.layers[i]));
    }
    Conclude();
    return std::move(taken_);
  }

 private:
  const WeightTensor& TensorAt(int32_t index) const { return file_.tensors()[static_cast<size_t>(index)]; }
  const FileModule& ModuleAt(int32_t index) const { return matching_.modules[static_cast<size_t>(index)]; }
  std::string Called(int32_t index) const { return StrCat("tensor '", Printable(TensorAt(index).name), "'"); }

  Status Take(const NetworkLayer& layer, const LayerMatch& match) {
    std::vector<float> bias;  // of the filter
    if (layer.is_norm_only && match.main < 0) {
      Put(layer, "filter", layer.filter,
          std::vector<float>(static_cast<size_t>(FlatSize(layer.filter)), 1.0f));
      rows_.push_back({StrCat(layer.name, "/filter"), ToString(layer.filter), "-", "", "ones", "-"});
    } else if (layer.filter.empty()) {
      return TakeSlope(layer, match);
    } else {
      QAT_RETURN_IF_ERROR(TakeFilter(layer, match));
      QAT_ASSIGN_OR_RETURN(bias, TakeBias(layer, match));
    }
    return layer.batch_norm ? TakeNorm(layer, match, bias) : Status();
  }

  Status TakeFilter(const NetworkLayer& layer, const LayerMatch& match) {
    const int32_t index = ModuleAt(match.main).filter;
    if (index < 0) return InvalidArgument(StrCat("`init_map` names its bias but no filter"));
    const Shape& shape = TensorAt(index).shape;
    const auto arrangement = Arrange(match_options_.layout, options_.channels_last, layer, shape);
    if (!arrangement) {
      return Corrupt(
          StrCat(file_.source(), ": ", Called(index), " is ", ToString(shape), ", expected ",
                 ToString(TheirShape(match_options_.layout, layer)), " in ", NameOf(match_options_.layout),
                 "'s layout for the filter ", ToString(layer.filter),
                 "; `init_layout` says another layout, 'LAYER = -' in `init_map` starts the layer afresh"));
    }
    QAT_ASSIGN_OR_RETURN(const std::vector<float> values, file_.Values(static_cast<size_t>(index)));
    Put(layer, "filter", layer.filter, ToOurs(*arrangement, values));
    AddRow(layer, "filter", layer.filter, index, arrangement->Text(), match.main_by);
    if (arrangement->reordered_columns) reordered_.push_back(layer.name);
    return {};
  }

  // Empty where there is none; a bias in front of a batch normalization becomes a part of its mean.
  Expected<std::vector<float>> TakeBias(const NetworkLayer& layer, const LayerMatch& match) {
    const int32_t index = ModuleAt(match.main).bias;
    if (index < 0) {
      if (layer.has_bias) {
        Put(layer, "bias", {layer.channels}, std::vector<float>(static_cast<size_t>(layer.channels)));
        rows_.push_back(
            {StrCat(layer.name, "/bias"), ToString(Shape{layer.channels}), "-", "", "zeros", "-"});
        without_bias_.push_back(layer.name);
      }
      return std::vector<float>();
    }
    QAT_ASSIGN_OR_RETURN(std::vector<float> values, Vector(index, layer.channels));
    if (layer.has_bias) {
      Put(layer, "bias", {layer.channels}, values);
      AddRow(layer, "bias", {layer.channels}, index, "as it is", match.main_by);
    } else {
      AddRow(layer, "moving_mean", {layer.channels}, index, "subtracted", match.main_by);
      absorbed_.push_back(layer.name);
    }
    return values;
  }

  Status TakeNorm(const NetworkLayer& layer, const LayerMatch& match, const std::vector<float>& bias) {
    const FileModule& module = ModuleAt(match.norm);
    struct Field {
      const char* suffix;
      int32_t index;
      float otherwise;
    };
    for (const Field& field :
         {Field{"gamma", module.gamma, 1}, Field{"beta", module.beta, 0},
          Field{"moving_mean", module.mean, 0}, Field{"moving_variance", module.variance, 1}}) {
      std::vector<float> values(static_cast<size_t>(layer.channels), field.otherwise);
      if (field.index >= 0) {
        QAT_ASSIGN_OR_RETURN(values, Vector(field.index, layer.channels));
        AddRow(layer, field.suffix, {layer.channels}, field.index, "as it is", match.norm_by);
      }
      if (field.index == module.mean && !bias.empty()) {
        for (size_t i = 0; i < values.size(); ++i) values[i] -= bias[i];
      }
      if (field.index == module.variance) {
        const auto low = std::min_element(values.begin(), values.end());
        if (*low < 0)
          return Corrupt(StrCat(file_.source(), ": ", Called(field.index), " holds the variance ", *low,
                                ", expected 0 or more"));
      }
      Put(layer, field.suffix, {layer.channels}, values);
    }
    if (match_options_.layout == WeightsLayout::kPyTorch &&
        std::abs(layer.epsilon / kPyTorchEpsilon - 1) > 1e-3f) {
      other_epsilon_.push_back(layer.name);
      epsilon_ = layer.epsilon;
    }
    return {};
  }

  Status TakeSlope(const NetworkLayer& layer, const LayerMatch& match) {
    const int32_t index = ModuleAt(match.main).slope;
    const auto count = static_cast<int32_t>(FlatSize(layer.slope));
    if (FlatSize(TensorAt(index).shape) == 1 && count != 1) {
      QAT_ASSIGN_OR_RETURN(const std::vector<float> one, file_.Values(static_cast<size_t>(index)));
      Put(layer, "slope", layer.slope, std::vector<float>(static_cast<size_t>(count), one[0]));
      AddRow(layer, "slope", layer.slope, index, "repeated", match.main_by);
      return {};
    }
    QAT_ASSIGN_OR_RETURN(const std::vector<float> values, Vector(index, count));
    Put(layer, "slope", layer.slope, values);
    AddRow(layer, "slope", layer.slope, index, "as it is", match.main_by);
    return {};
  }

  // One value per channel, whatever other axes of size 1 there are.
  Expected<std::vector<float>> Vector(int32_t index, int32_t count) const {
    const Shape& shape = TensorAt(index).shape;
    const auto longest = shape.empty() ? 1 : *std::max_element(shape.begin(), shape.end());
    if (FlatSize(shape) != count || longest != count) {
      return Corrupt(StrCat(file_.source(), ": ", Called(index), " is ", ToString(shape), ", expected ",
                            ToString(Shape{count})));
    }
    return file_.Values(static_cast<size_t>(index));
  }

  // The groups of a convolution lie one after the other.
  void Put(const NetworkLayer& layer, std::string_view suffix, Shape shape,
           const std::vector<float>& values) {
    const std::vector<std::string>& names = layer.TensorNames(std::string(suffix));
    const size_t length = values.size() / names.size();
    shape[0] /= static_cast<int32_t>(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      const auto begin = values.begin() + static_cast<ptrdiff_t>(i * length);
      taken_.tensors[names[i]] = {shape, {begin, begin + static_cast<ptrdiff_t>(length)}};
    }
    if (suffix == "filter" || suffix == "slope") ++filled_;
  }

  void AddRow(const NetworkLayer& layer, std::string_view suffix, const Shape& shape, int32_t index,
              std::string how, MatchedBy by) {
    constexpr size_t kLongest = 160;  // a name of a megabyte would make every row as long
    const std::string theirs = Printable(TensorAt(index).name);
    rows_.push_back({StrCat(layer.name, "/", suffix), ToString(shape),
                     theirs.size() <= kLongest ? theirs : theirs.substr(0, kLongest) + "...",
                     ToString(TensorAt(index).shape), std::move(how), std::string(NameOf(by))});
    by_.insert(by);
    ++read_;
  }

  void Conclude() {
    std::vector<std::string> ways;
    for (const MatchedBy by : by_) ways.emplace_back(NameOf(by));
    taken_.line = StrCat(read_, read_ == 1 ? " tensor for " : " tensors for ", filled_,
                         filled_ == 1 ? " layer" : " layers", " from ", file_.source(), ", in ",
                         NameOf(match_options_.layout), "'s layout, by ", Join(ways, ", "),
                         " (`print_init` shows which)");
    if (by_.contains(MatchedBy::kOrder)) {
      taken_.notes.push_back(
          "layers were matched by the order of equal shapes; `print_init` shows how, `init_map` says it "
          "otherwise");
    }
    if (!reordered_.empty()) {
      taken_.notes.push_back(StrCat("columns of ", ListText(reordered_),
                                    " brought from PyTorch's order of flattened maps (C, H, W) to H, W, C; "
                                    "`init_flatten` says that the file has the latter"));
    }
    if (!without_bias_.empty())
      taken_.notes.push_back(StrCat("no bias in the file, so 0: ", ListText(without_bias_)));
    if (!absorbed_.empty())
      taken_.notes.push_back(
          StrCat("biases in front of batch norms became a part of their means: ", ListText(absorbed_)));
    std::vector<std::string> fresh, left;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (matching_.layers[i].fresh) fresh.push_back(layers_[i].name);
    }
    if (!fresh.empty()) taken_.notes.push_back(StrCat("start afresh, as the map says: ", ListText(fresh)));
    for (const int32_t tensor : UnusedTensors(file_, matching_)) left.push_back(WithShape(file_, tensor));
    if (!left.empty())
      taken_.warnings.push_back(
          StrCat("tensors of ", file_.source(), " that no layer takes: ", ListText(left)));
    if (!other_epsilon_.empty()) {
      taken_.warnings.push_back(
          StrCat("batch norms have the epsilon ", epsilon_,
                 " here, and 1e-05 in PyTorch unless its code says otherwise: ", ListText(other_epsilon_),
                 "; batch_norm = {epsilon = 1e-5, momentum = 0.9} in the spec makes them equal"));
    }
    taken_.table = AlignColumns(rows_);
  }

  const std::vector<NetworkLayer>& layers_;
  const WeightsFile& file_;
  const TakeOptions& options_;
  MatchOptions match_options_;
  Matching matching_;
  TakenWeights taken_;
  std::vector<Row> rows_;
  std::set<MatchedBy> by_;
  std::vector<std::string> reordered_, without_bias_, absorbed_, other_epsilon_;
  float epsilon_ = 0;
  int64_t read_ = 0, filled_ = 0;
};

}  // namespace

Expected<TakenWeights> TakeWeights(const std::vector<NetworkLayer>& layers, const WeightsFile& file,
                                   const TakeOptions& options) {
  if (layers.empty()) return InvalidArgument("the network has no trained tensors to be filled");
  return Taker(layers, file, options).Run();
}

}  // namespace qat
