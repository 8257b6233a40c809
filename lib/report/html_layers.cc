// The section of the page on layers: where two integer ways part, and what quantization costs each layer.
#include <algorithm>

#include "base/strings.h"
#include "report/html_parts.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::string FirstDifferences(const Report& report) {
  std::string items;
  for (const PairResult& pair : report.pairs) {
    if (!pair.first_difference) continue;
    items += StrCat("<li>", EscapeHtml(pair.a), " → ", EscapeHtml(pair.b), ": ",
                    EscapeHtml(FirstDifferenceText(*pair.first_difference)), "</li>\n");
  }
  return items.empty() ? "" : StrCat("<ul class=\"warnings\">", items, "</ul>\n");
}

std::string PercentOf(double share, int decimals) { return StrCat(Fixed(100 * share, decimals), " %"); }

// The representable range is what the histogram holds but for a tenth at either end.
std::string Values(const LayerError& layer) {
  if (!layer.histogram) return "";
  const Histogram& values = *layer.histogram;
  const double beside = (values.high - values.low) / 10;
  return HistogramBar(values, values.low + beside, values.high - beside, values.low, values.high);
}

// Bars share the axis of the page's largest ratio of an operator: the input's bytes are nearly exact.
double HighestRatio(const Report& report) {
  double highest = 1;
  for (const LayerError& layer : report.layers) {
    if (layer.index >= 0) highest = std::max(highest, layer.own_sqnr_db.value_or(0));
  }
  return highest;
}

Cells RowOf(const LayerError& layer, double highest) {
  const double own = std::min(layer.own_sqnr_db.value_or(0), highest);
  return {EscapeHtml(layer.layer),
          EscapeHtml(layer.op),
          RangeBar(std::min(own, 0.0), std::max(own, 0.0), 0, highest),
          DecibelText(layer.own_sqnr_db),
          DecibelText(layer.sqnr_db),
          Fixed(layer.max_steps, 1),
          PercentOf(layer.range_used, 0),
          PercentOf(layer.clipped, 2),
          layer.filter ? StrCat(layer.filter->coarse_channels, "/", layer.filter->channels) : "",
          Values(layer)};
}

std::vector<std::string> ModelsOf(const Report& report) {
  std::vector<std::string> models;
  for (const LayerError& layer : report.layers) {
    if (models.empty() || models.back() != layer.model) models.push_back(layer.model);
  }
  return models;
}

std::string TableOf(const Report& report, const std::string& model) {
  const double highest = HighestRatio(report);
  std::vector<Cells> rows;
  const LayerError* any = nullptr;
  for (const LayerError& layer : report.layers) {
    if (layer.model != model) continue;
    rows.push_back(RowOf(layer, highest));
    any = &layer;
  }
  return StrCat("<h3>", EscapeHtml(model), " against ", EscapeHtml(any->reference), " on ",
                Counted(any->images, report), "</h3>\n",
                Table({{"layer", "name"},
                       {"operator", "word"},
                       {StrCat("own signal to noise, 0 to ", Fixed(highest, 0), " dB"), "bars"},
                       {"own", "number"},
                       {"with all before", "number"},
                       {"largest error in steps", "number"},
                       {"range used", "number"},
                       {"clipped", "number"},
                       {"coarse", "number"},
                       {"float values", "bars"}},
                      rows));
}

}  // namespace

std::string LayersSection(const Report& report) {
  std::string html = FirstDifferences(report);
  for (const std::string& model : ModelsOf(report)) html += TableOf(report, model);
  if (report.layers.empty()) return html;
  return html +
         Quiet(
             "Signal to noise of each output against the same layer in float: by rounding this output alone "
             "(own), and with the errors of all layers before it. 6 dB are one bit. A layer that uses little "
             "of its range has one that is too wide; one that clips much has one that is too narrow. "
             "Coarse: channels of the filter whose largest weight is under 16 steps from zero, because they "
             "share a "
             "scale with much larger ones. "
             "Float values: how many there are (logarithmic) along the range, which is shaded, and a little "
             "beyond it.");
}

}  // namespace qat
