// predictor.h: everything that makes predictions: a network in LibTorch, a frozen graph, a .tflite model.
// qat-eval knows its rows only through this interface, so that LibTorch is loaded by dlopen only.
#ifndef QAT_PREDICT_PREDICTOR_H_
#define QAT_PREDICT_PREDICTOR_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/strings.h"
#include "contract/contract.h"

namespace qat {

/// What a predictor says of N images: one answer each, or one for each of P places in an image (its pixels,
/// row by row).
struct Predictions {
  std::vector<int32_t>
      labels;           ///< [N, P]; the first index of the largest output, or the output of an argmax model
  int32_t classes = 0;  ///< outputs per answer; 0 where the model ends in argmax
  std::vector<float> scores;   ///< [N, P, classes], real values; empty where the model ends in argmax
  bool probabilities = false;  ///< the scores have gone through a sigmoid or softmax
  float step = 0;  ///< output scale of a quantized model; 0 for float: scores need not lie on a grid
  std::vector<Predictions> others = {};  ///< of the outputs after the first, where the contract has several
};

/// What one layer gives for one image, in TFLite's order of axes.
struct LayerOutput {
  std::string layer;          ///< the tensor's name
  std::string op;             ///< "conv_2d"; "input"
  int32_t index = -1;         ///< of the operator, in the order of execution; -1: the input
  std::vector<float> values;  ///< real
  float step = 0;             ///< scale of quantized values; 0: float
  int32_t zero_point = 0;
  int32_t quant_min = 0;  ///< the lowest quantized value; the highest is 255 steps above
};

class Predictor {
 public:
  virtual ~Predictor() = default;

  /// "checkpoint", "simulated", "graph", or the path given: unique in one report.
  virtual const std::string& name() const = 0;
  /// "checkpoint", "graph" or "tflite".
  virtual std::string kind() const = 0;
  /// "float32"; "float16" or "dynamic" where only weights are stored smaller; "simulated", "uint8", "int8".
  virtual std::string type() const = 0;
  virtual const Contract& contract() const = 0;

  /// Of a model that does not say what its several outputs mean: reads those at `places` from now on, in this
  /// order, and has `outputs` in its contract. Errors: kUnsupported (no model of others, outputs of a form
  /// that is not read).
  virtual Status ReadOutputs(const std::vector<size_t>& /*places*/, std::vector<OutputContract> /*outputs*/) {
    return Unsupported(StrCat(name(), ": says itself what its outputs mean, and all of them are judged"));
  }

  /// Raw bytes of images [count, H, W, C], through the contract. Errors: kNumerical (NaN), kSystem.
  virtual Expected<Predictions> Predict(std::span<const uint8_t> images, int64_t count) = 0;

  /// For timing: Load puts one image into the input tensor, Invoke runs the network on it and leaves the
  /// output unread.
  virtual Status Load(std::span<const uint8_t> image) = 0;
  virtual Status Invoke() = 0;

  /// The input and every layer's output for one image, in the order of execution. Those that are neither real
  /// nor quantized with one scale are left out; none: the predictor cannot look inside. Errors: those of
  /// Predict.
  virtual Expected<std::vector<LayerOutput>> Layers(std::span<const uint8_t> /*image*/) {
    return std::vector<LayerOutput>();
  }
};

/// The answer to yes or no by one score: above 0, as a probability above 1/2.
constexpr bool IsYes(float score, bool probability) { return score > (probability ? 0.5f : 0.0f); }

/// First index of the largest of `scores`, as TFLite's ARG_MAX.
int32_t ArgMaxOf(std::span<const float> scores);

}  // namespace qat

#endif  // QAT_PREDICT_PREDICTOR_H_
