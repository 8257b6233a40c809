// The module qat_torch_backend: a checkpoint as a Predictor, in LibTorch. Opened by qat-eval; no exception
// leaves it.
#include "predict/torch_backend.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>

#include "base/strings.h"
#include "train/input_tensor.h"
#include "train/modules/nhwc.h"
#include "train/network.h"
#include "train/tensor_span.h"
#include "train/threads.h"
#include "train/torch_error.h"

namespace qat {
namespace {

constexpr int64_t kBatch = 500;

// Runs `body`; what LibTorch throws becomes an Error.
template <class F>
auto Guarded(const F& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::exception& exception) {
    return TorchError(exception);
  }
}

LayerOutput LayerOf(const std::string& name, std::string_view op, int32_t index, const at::Tensor& real) {
  const at::Tensor values = functional::ToNhwc(real).to(at::kFloat).contiguous();
  const float* first = values.data_ptr<float>();
  LayerOutput output;
  output.layer = name;
  output.op = op;
  output.index = index;
  output.values.assign(first, first + values.numel());
  return output;
}

// Products in double, rounded once, as Dequantize.
LayerOutput LayerOf(const std::string& name, std::string_view op, int32_t index,
                    const SimulatedTensor& quantized, const Precision& activations) {
  const QuantizationParams params = quantized.params;
  LayerOutput output =
      LayerOf(name, op, index, quantized.values.to(at::kDouble).sub(params.zero_point).mul(params.scale));
  output.step = params.scale;
  output.zero_point = params.zero_point;
  output.quant_min = LimitsOf(activations).quant_min;
  return output;
}

class TorchPredictor final : public Predictor {
 public:
  TorchPredictor(std::string name, TorchMode mode, const Checkpoint& checkpoint,
                 std::unique_ptr<Network> network)
      : name_(std::move(name)),
        mode_(mode),
        contract_(checkpoint.contract),
        activations_(PrecisionsFromName(checkpoint.scheme).value().activations),
        tensors_(contract_, network->graph()),
        network_(std::move(network)) {}

  const std::string& name() const override { return name_; }
  std::string kind() const override { return "checkpoint"; }
  std::string type() const override { return mode_ == TorchMode::kFloat ? "float32" : "simulated"; }
  const Contract& contract() const override { return contract_; }

  Expected<Predictions> Predict(std::span<const uint8_t> images, int64_t count) override {
    return Guarded([&]() -> Expected<Predictions> {
      Predictions all;
      for (int64_t first = 0; first < count; first += kBatch) {
        const auto size = static_cast<size_t>(std::min(kBatch, count - first) * contract_.ExampleSize());
        QAT_RETURN_IF_ERROR(
            Append(images.subspan(static_cast<size_t>(first * contract_.ExampleSize()), size), all));
      }
      return all;
    });
  }

  Status Load(std::span<const uint8_t> image) override {
    return Guarded([&]() -> Status {
      if (mode_ == TorchMode::kSimulated) {
        quantized_ = tensors_.Quantized(image, activations_);
      } else {
        real_ = tensors_.Real(image);
      }
      return {};
    });
  }

  Expected<std::vector<LayerOutput>> Layers(std::span<const uint8_t> image) override {
    QAT_RETURN_IF_ERROR(Load(image));
    return Guarded([&]() -> Expected<std::vector<LayerOutput>> {
      const at::NoGradGuard no_gradients;
      std::vector<LayerOutput> outputs;
      if (mode_ == TorchMode::kSimulated) {
        for (size_t i = 0; i < quantized_.size(); ++i)
          outputs.push_back(LayerOf(InputName(i), "input", -1, quantized_[i], activations_));
        network_->Simulate(quantized_, [&](const Module& layer, const SimulatedTensor& output) {
          outputs.push_back(
              LayerOf(layer.name(), layer.definition().name, Next(outputs), output, activations_));
        });
      } else {
        for (size_t i = 0; i < real_.size(); ++i)
          outputs.push_back(LayerOf(InputName(i), "input", -1, real_[i]));
        network_->Forward(real_, Context(), [&](const Module& layer, const at::Tensor& output) {
          outputs.push_back(LayerOf(layer.name(), layer.definition().name, Next(outputs), output));
        });
      }
      return outputs;
    });
  }

  Status Invoke() override {
    return Guarded([&]() -> Status {
      const at::NoGradGuard no_gradients;
      if (mode_ == TorchMode::kSimulated) {
        network_->Simulate(quantized_);
      } else {
        network_->Forward(real_, Context());
      }
      return {};
    });
  }

 private:
  /// As a model of one input names its own, whatever that is called.
  std::string InputName(size_t input) const {
    const Graph& graph = network_->graph();
    return graph.inputs.size() == 1 ? std::string("input") : graph.tensor(graph.inputs[input]).name;
  }
  /// Of a layer that was just computed.
  int32_t Next(const std::vector<LayerOutput>& outputs) const {
    return static_cast<int32_t>(outputs.size() - network_->graph().inputs.size());
  }

  ForwardContext Context() const { return {.fake_quantize = mode_ == TorchMode::kFakeQuantized}; }

  Status Append(std::span<const uint8_t> images, Predictions& all) {
    const at::NoGradGuard no_gradients;
    all.others.resize(std::max<size_t>(contract_.outputs.size(), 1) - 1);
    if (mode_ == TorchMode::kSimulated) {
      const std::vector<SimulatedTensor> outputs =
          network_->Simulate(tensors_.Quantized(images, activations_));
      for (size_t i = 0; i <= all.others.size(); ++i) {
        Predictions& own = i == 0 ? all : all.others[i - 1];
        own.step = outputs[i].params.scale;
        // Products in double, rounded once, as Dequantize.
        QAT_RETURN_IF_ERROR(AppendScores(
            i, outputs[i].values.sub(outputs[i].params.zero_point).mul(own.step).to(at::kFloat), own));
      }
      return {};
    }
    const std::vector<at::Tensor> outputs = network_->Forward(tensors_.Real(images), Context());
    for (size_t i = 0; i <= all.others.size(); ++i)
      QAT_RETURN_IF_ERROR(AppendScores(i, outputs[i], i == 0 ? all : all.others[i - 1]));
    return {};
  }

  /// Of output `index`.
  Status AppendScores(size_t index, const at::Tensor& output, Predictions& all) const {
    const at::Tensor scores = functional::ToNhwc(output).contiguous();
    all.probabilities = network_->EndsInSigmoid(index);
    all.classes = static_cast<int32_t>(scores.size(-1));
    const std::span<const float> values = SpanOf(scores);
    if (std::any_of(values.begin(), values.end(), [](float v) { return !std::isfinite(v); })) {
      return Numerical(StrCat(name_, ": an output is not finite"));
    }
    all.scores.insert(all.scores.end(), values.begin(), values.end());
    for (size_t row = 0; row < values.size(); row += static_cast<size_t>(all.classes)) {
      all.labels.push_back(ArgMaxOf(values.subspan(row, static_cast<size_t>(all.classes))));
    }
    return {};
  }

  std::string name_;
  TorchMode mode_;
  Contract contract_;
  Precision activations_;
  InputTensors tensors_;
  std::unique_ptr<Network> network_;
  std::vector<at::Tensor> real_;
  std::vector<SimulatedTensor> quantized_;
};

Expected<std::unique_ptr<Predictor>> MakePredictor(const Checkpoint& checkpoint, const char* name,
                                                   TorchMode mode, int threads) {
  ConfigureThreads(threads);
  QAT_RETURN_IF_ERROR(Validate(checkpoint.contract));
  QAT_ASSIGN_OR_RETURN(auto network, Network::FromCheckpoint(checkpoint));
  if (mode != TorchMode::kFloat && (checkpoint.scheme == "float32" || !network->HasRanges())) {
    return InvalidArgument(StrCat("checkpoint of step ", checkpoint.step, " with scheme '", checkpoint.scheme,
                                  "' has no ranges, expected those of a quantized run"));
  }
  return std::unique_ptr<Predictor>(
      std::make_unique<TorchPredictor>(name, mode, checkpoint, std::move(network)));
}

}  // namespace
}  // namespace qat

extern "C" __attribute__((visibility("default"))) qat::Predictor* qat_make_torch_predictor(
    const qat::Checkpoint& checkpoint, const char* name, qat::TorchMode mode, int threads,
    qat::Error& error) {
  auto predictor = qat::Guarded([&] { return qat::MakePredictor(checkpoint, name, mode, threads); });
  if (predictor.ok()) return std::move(predictor).value().release();
  error = std::move(predictor).error();
  return nullptr;
}
