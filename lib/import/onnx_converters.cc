// The table of ONNX's operators that come in, and what to do about those that do not.
#include "base/strings.h"
#include "import/onnx_convert.h"
#include "import/onnx_ml.h"

namespace qat {
namespace {

struct WayOut {
  std::string_view op, way;
};

constexpr WayOut kWaysOut[] = {
    {"If",
     "its condition is computed while the network runs; export the network without branches that depend on "
     "the input"},
    {"Loop", "export the network with the loop unrolled (a fixed number of steps in Python)"},
    {"Scan", "export the network with the loop unrolled (a fixed number of steps in Python)"},
    {"Erf",
     "TFLite has no error function; export with opset 20, which keeps GELU as one operator, or use its form "
     "with tanh"},
    {"NonMaxSuppression",
     "leave the selection of boxes out of the export, and do it on what the network gives"},
    {"TopK", "leave the selection out of the export, and do it on what the network gives"},
    {"NonZero", "the number of its results depends on the input; leave it out of the export"},
    {"RoiAlign", "has no kernel in TFLite; leave the second stage out of the export"},
    {"MaxRoiPool", "has no kernel in TFLite; leave the second stage out of the export"},
    {"GridSample", "has no kernel in TFLite; use a resize"},
    {"DeformConv", "has no kernel in TFLite; use a convolution"},
    {"ConvInteger", "export the network with QuantizeLinear and DequantizeLinear around its layers (QDQ)"},
    {"MatMulInteger", "export the network with QuantizeLinear and DequantizeLinear around its layers (QDQ)"},
    {"QLinearConv", "export the network with QuantizeLinear and DequantizeLinear around its layers (QDQ)"},
    {"QLinearMatMul", "export the network with QuantizeLinear and DequantizeLinear around its layers (QDQ)"},
    {"DynamicQuantizeLinear", "export the network in float32, or with fixed scales (QDQ)"},
    {"RandomNormal", "gives other values at every run; export the network in eval mode"},
    {"RandomUniform", "gives other values at every run; export the network in eval mode"},
    {"RandomNormalLike", "gives other values at every run; export the network in eval mode"},
    {"RandomUniformLike", "gives other values at every run; export the network in eval mode"},
    {"Bernoulli", "gives other values at every run; export the network in eval mode"},
    {"Multinomial", "gives other values at every run; export the network in eval mode"},
    {"GatherElements", "reads places that are computed; use a slice or a gather with constant indices"},
    {"ScatterElements",
     "writes places one by one; use concatenation, or a product with a mask of ones and zeros"},
    {"STFT", "compute the spectrum before the network"},
    {"DFT", "compute the spectrum before the network"},
    {"MelWeightMatrix", "compute the spectrum before the network"},
    {"StringNormalizer", "text has no place in a network of integers; prepare it before"},
    {"TfIdfVectorizer", "text has no place in a network of integers; prepare it before"},
};

}  // namespace

const OnnxConverter* FindConverter(std::string_view op) {
  static const auto kAll = [] {
    std::map<std::string_view, const OnnxConverter*> all;
    for (const auto& family :
         {ConvolutionConverters(), PoolConverters(), ElementwiseConverters(), ActivationConverters(),
          LayoutConverters(), ImageConverters(), ReductionConverters(), NormalizationConverters(),
          MatrixConverters(), EinsumConverters(), AttentionConverters(), RecurrentConverters(),
          PlaceConverters(), QuantizationConverters()}) {
      for (const OnnxConverter& converter : family) all[converter.op] = &converter;
    }
    return all;
  }();
  const auto found = kAll.find(op);
  return found == kAll.end() ? nullptr : found->second;
}

std::string WayOutFor(const std::string& op, const std::string& domain) {
  if (domain == kMlDomain) return WayOutForMl(op);
  if (!domain.empty())
    return StrCat("is an operator of '", domain,
                  "', which only its maker's runtime knows; export the network with ONNX's own operators");
  for (const WayOut& way : kWaysOut) {
    if (way.op == op) return std::string(way.way);
  }
  return "does not come in; write it with other operators in the network (docs/import.md lists those that "
         "come in)";
}

}  // namespace qat
