#include "eval/flipped.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/join_some.h"
#include "base/png.h"
#include "base/strings.h"
#include "data/image.h"
#include "eval/classification.h"
#include "report/text_format.h"

namespace qat {
namespace {

const Row* RowNamed(const Rows& rows, const std::string& name) {
  for (const Row& row : rows.rows) {
    if (row.result.name == name) return &row;
  }
  return nullptr;
}

// Two channels are nothing that a screen shows: the first of them as grey.
Image Showable(Image image) {
  if (image.channels == 1 || image.channels == 3) return image;
  const auto channels = static_cast<size_t>(image.channels);
  Bytes first;
  for (size_t i = 0; i < image.pixels.size(); i += channels) first.push_back(image.pixels[i]);
  return {image.height, image.width, 1, std::move(first)};
}

// Real numbers from their smallest, black, to their largest, white.
Bytes AsGreys(const Bytes& reals) {
  std::vector<float> values(reals.size() / sizeof(float));
  std::memcpy(values.data(), reals.data(), reals.size());
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double range = std::max<double>(double{*high} - double{*low}, 1e-30);
  Bytes greys;
  for (const float value : values)
    greys.push_back(static_cast<uint8_t>((double{value} - double{*low}) / range * 255));
  return greys;
}

Expected<std::string> PictureOf(const Dataset& dataset, int32_t example) {
  Bytes values(static_cast<size_t>(dataset.ImageSize()));
  QAT_RETURN_IF_ERROR(dataset.Read({&example, 1}, values));
  values.resize(static_cast<size_t>(dataset.input().Size()));  // of several inputs the first is shown
  Image image = {dataset.input().height, dataset.input().width, dataset.input().channels, std::move(values)};
  if (dataset.input().values == ValueType::kReal) image.pixels = AsGreys(image.pixels);
  image = Showable(std::move(image));
  const int32_t longer = std::max(image.height, image.width);
  if (longer > kLargestPicture) {
    const auto shrunk = [&](int32_t size) { return std::max(1, size * kLargestPicture / longer); };
    const int32_t height = shrunk(image.height), width = shrunk(image.width);
    image = FitImage(std::move(image), height, width);
  }
  return StrCat("data:image/png;base64,",
                Base64(EncodePng(image.height, image.width, image.channels, image.pixels)));
}

// "age 41, weight 80.5" of a row of features, which is no picture; else empty.
Expected<std::string> ValuesOf(const Dataset& dataset, int32_t example) {
  constexpr size_t kMost = 12;
  const ExampleInput& input = dataset.input();
  if (dataset.inputs.size() != 1 || input.values != ValueType::kReal || input.height * input.width != 1)
    return std::string();
  Bytes bytes(static_cast<size_t>(dataset.ImageSize()));
  QAT_RETURN_IF_ERROR(dataset.Read({&example, 1}, bytes));
  std::vector<std::string> values;
  for (size_t i = 0; i < static_cast<size_t>(input.channels); ++i) {
    float value;
    std::memcpy(&value, &bytes[i * sizeof(value)], sizeof(value));
    values.push_back(i < input.features.size() ? StrCat(input.features[i], " ", Significant(value))
                                               : Significant(value));
  }
  return JoinSome(values, kMost);
}

std::optional<double> At(const std::vector<double>& confidences, size_t image) {
  return confidences.empty() ? std::nullopt : std::optional(confidences[image]);
}

Status AddOfPair(const Row& a, const Row& b, const Dataset& dataset, Report& report) {
  const std::vector<double> sure_a = Confidences(a.predictions), sure_b = Confidences(b.predictions);
  size_t found = 0;
  for (size_t i = 0; i < dataset.labels.size() && found < kMostFlippedOfAPair; ++i) {
    const int32_t answer_a = a.predictions.labels[i], answer_b = b.predictions.labels[i];
    if (answer_a == answer_b || dataset.labels[i] == kIgnoredLabel) continue;
    ++found;
    QAT_ASSIGN_OR_RETURN(std::string values, ValuesOf(dataset, static_cast<int32_t>(i)));
    std::string picture;
    if (values.empty()) {
      QAT_ASSIGN_OR_RETURN(picture, PictureOf(dataset, static_cast<int32_t>(i)));
    }
    report.flipped.push_back({a.result.name, b.result.name, dataset.IndexOf(static_cast<int64_t>(i)),
                              dataset.labels[i], answer_a, answer_b, At(sure_a, i), At(sure_b, i),
                              std::move(picture), std::move(values)});
  }
  return {};
}

}  // namespace

Status AddFlipped(const Rows& rows, const Dataset& dataset, Report& report) {
  if (dataset.targets > 0 || dataset.LabelsPerImage() != 1) return {};
  for (const PairResult& pair : report.pairs) {
    const Row* a = RowNamed(rows, pair.a);
    const Row* b = RowNamed(rows, pair.b);
    if (a != nullptr && b != nullptr && pair.total_flips > 0)
      QAT_RETURN_IF_ERROR(AddOfPair(*a, *b, dataset, report));
  }
  return {};
}

}  // namespace qat
