#include "import/verify_source.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "base/strings.h"
#include "import/source_arrays.h"
#include "passes/passes.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Interpreter>> FloatInterpreter(Graph graph) {
  QAT_RETURN_IF_ERROR(LowerToReal(graph));
  QAT_ASSIGN_OR_RETURN(Bytes bytes, WriteTflite(graph, {}));
  QAT_ASSIGN_OR_RETURN(auto model, RunnableFromBytes(std::move(bytes), graph.name));
  InterpreterOptions options;
  options.keep_intermediates = true;
  return Interpreter::Create(std::move(model), options);
}

/// "conv1" is a part of "model/conv1/Relu;model/conv1/BiasAdd".
bool HasPart(const std::string& name, const std::string& part) {
  for (const std::string& alias : SplitText(name, ';')) {
    const std::vector<std::string> parts = SplitText(alias, '/');
    if (std::find(parts.begin(), parts.end(), part) != parts.end()) return true;
  }
  return false;
}

class Verification {
 public:
  Verification(const VerifyRequest& request, bool rounded, std::unique_ptr<Interpreter> interpreter)
      : request_(request),
        rounded_(rounded),
        interpreter_(std::move(interpreter)),
        model_(interpreter_->model()) {}

  Expected<VerifyResult> Run(const WorkHooks& hooks) {
    QAT_RETURN_IF_ERROR(ReadInputs());
    QAT_RETURN_IF_ERROR(ReadExpected());
    for (int64_t i = 0; i < result_.examples; ++i) {
      QAT_RETURN_IF_ERROR(hooks.Poll());
      for (size_t k = 0; k < inputs_.size(); ++k) Copy(inputs_[k], i, interpreter_->input(k));
      interpreter_->Invoke();
      for (Compared& compared : compared_) QAT_RETURN_IF_ERROR(Compare(i, compared));
    }
    return Judge();
  }

 private:
  struct Compared {
    int32_t tensor;
    SourceArray array;
    double difference = 0, largest = 0;
    int64_t example = 0, place = 0;  // of the largest difference
    float ours = 0, theirs = 0;
  };

  const ModelTensor& Tensor(int32_t index) const { return interpreter_->tensor_info(index); }

  Status Fit(const std::string& path, const ModelTensor& tensor, SourceArray& array) {
    bool transposed = false;
    const std::string where = array.name.empty() ? path : StrCat(path, ": '", array.name, "'");
    const auto order = request_.orders.find(tensor.name);
    QAT_ASSIGN_OR_RETURN_IN(where, const int64_t examples,
                            order == request_.orders.end()
                                ? FitExamples(tensor.shape, array, transposed)
                                : FitOrderedExamples(tensor.shape, order->second, array));
    if (transposed) result_.notes.push_back(StrCat(where, ": has the channels first and was transposed"));
    if (result_.examples == 0) result_.examples = examples;
    if (result_.examples == examples) return {};
    return Corrupt(StrCat(where, ": holds ", examples, " examples, the inputs ", result_.examples));
  }

  Status ReadInputs() {
    QAT_ASSIGN_OR_RETURN(std::vector<SourceArray> arrays, ReadSourceArrays(request_.inputs));
    for (const int32_t input : model_.inputs()) {
      const ModelTensor& info = Tensor(input);
      if (info.type != DType::kFloat32)
        return Unsupported(StrCat("input '", info.name, "' is ", NameOf(info.type), ", expected float32"));
      auto found = std::find_if(arrays.begin(), arrays.end(),
                                [&](const SourceArray& a) { return a.name == info.name; });
      if (found == arrays.end() && model_.inputs().size() == 1 && arrays.size() == 1) found = arrays.begin();
      if (found == arrays.end())
        return Corrupt(StrCat(request_.inputs, ": has no array '", info.name,
                              "', as the input of the network is called"));
      QAT_RETURN_IF_ERROR(Fit(request_.inputs, info, *found));
      inputs_.push_back(std::move(*found));
      arrays.erase(found);
    }
    return {};
  }

  Status ReadExpected() {
    QAT_ASSIGN_OR_RETURN(std::vector<SourceArray> arrays, ReadSourceArrays(request_.expected));
    std::vector<std::string> unknown;
    for (SourceArray& array : arrays) {
      const std::optional<int32_t> tensor = arrays.size() == 1 && (array.name.empty() || !Find(array.name))
                                                ? std::optional(model_.outputs()[0])
                                                : Find(array.name);
      if (!tensor) {
        unknown.push_back(StrCat("'", array.name, "'"));
        continue;
      }
      QAT_RETURN_IF_ERROR(Fit(request_.expected, Tensor(*tensor), array));
      compared_.push_back({*tensor, std::move(array)});
    }
    if (compared_.empty())
      return Corrupt(
          StrCat(request_.expected, ": no array has the name of a tensor of the network: ", Join(unknown)));
    if (!unknown.empty())
      result_.notes.push_back(
          StrCat(request_.expected, ": arrays that belong to no tensor: ", Join(unknown)));
    std::sort(compared_.begin(), compared_.end(),
              [&](const Compared& a, const Compared& b) { return Order(a.tensor) < Order(b.tensor); });
    return {};
  }

  /// The node that computes a tensor; -1: none does.
  int64_t Order(int32_t tensor) const {
    for (size_t i = 0; i < model_.nodes().size(); ++i) {
      const auto& outputs = model_.nodes()[i].outputs;
      if (std::find(outputs.begin(), outputs.end(), tensor) != outputs.end()) return static_cast<int64_t>(i);
    }
    return -1;
  }

  std::optional<int32_t> Find(const std::string& name) const {
    std::optional<int32_t> found;
    for (const ModelNode& node : model_.nodes()) {
      for (const int32_t output : node.outputs) {
        if (Tensor(output).type != DType::kFloat32) continue;
        if (Tensor(output).name == name) return output;
        if (HasPart(Tensor(output).name, name)) found = output;
      }
    }
    return found;
  }

  static void Copy(const SourceArray& array, int64_t example, std::span<uint8_t> input) {
    const size_t count = input.size() / sizeof(float);
    std::memcpy(input.data(), array.values.data() + static_cast<size_t>(example) * count, input.size());
  }

  Status Compare(int64_t example, Compared& compared) const {
    QAT_ASSIGN_OR_RETURN(const std::span<const uint8_t> bytes, interpreter_->tensor(compared.tensor));
    const size_t count = bytes.size() / sizeof(float);
    const float* theirs = compared.array.values.data() + static_cast<size_t>(example) * count;
    for (size_t i = 0; i < count; ++i) {
      float ours;
      std::memcpy(&ours, bytes.data() + i * sizeof(float), sizeof(float));
      compared.largest = std::max(compared.largest, std::abs(double{theirs[i]}));
      const double difference = std::abs(double{ours} - theirs[i]);
      if (!(difference > compared.difference) && std::isfinite(ours)) continue;
      compared.difference = std::isfinite(ours) ? difference : INFINITY;
      compared.example = example;
      compared.place = static_cast<int64_t>(i);
      compared.ours = ours;
      compared.theirs = theirs[i];
    }
    return {};
  }

  std::string LikelyReason(const Compared& compared) const {
    if (rounded_)
      return "; the source rounds its activations to integers and the network here does not yet: expected "
             "the "
             "answers of the network before it was quantized, or a larger `verify_tolerance`";
    // A value of float16 is rounded by up to 2^-11 of itself; twice that, since inputs may be rounded, too.
    constexpr double kFloat16 = 1.0 / 1024;
    if (compared.difference > kFloat16 * compared.largest) return "";
    return "; so little may be the rounding of float16: expected arrays of float32, or a `verify_tolerance` "
           "of "
           "0.001";
  }

  Expected<VerifyResult> Judge() {
    for (const Compared& compared : compared_) {
      const std::string& name = Tensor(compared.tensor).name;
      if (compared.difference > request_.tolerance * compared.largest) {
        return Corrupt(StrCat(request_.expected, ": '", name, "' is the first tensor that differs: by ",
                              compared.difference, " at value ", compared.place, " of example ",
                              compared.example, " (here ", compared.ours, ", there ", compared.theirs,
                              "), where values reach ", compared.largest, " and ", request_.tolerance,
                              " of that is allowed", LikelyReason(compared)));
      }
      result_.tensors.push_back({name, compared.difference, compared.largest});
    }
    return std::move(result_);
  }

  const VerifyRequest& request_;
  const bool rounded_;  // the source computes in integers
  std::unique_ptr<Interpreter> interpreter_;
  const Model& model_;
  std::vector<SourceArray> inputs_;
  std::vector<Compared> compared_;
  VerifyResult result_;
};

}  // namespace

Expected<VerifyResult> VerifySource(const Graph& graph, const VerifyRequest& request,
                                    const WorkHooks& hooks) {
  const bool rounded = std::any_of(graph.tensors.begin(), graph.tensors.end(),
                                   [](const GraphTensor& t) { return t.has_range && !t.is_constant(); });
  QAT_ASSIGN_OR_RETURN(auto interpreter, FloatInterpreter(graph));
  return Verification(request, rounded, std::move(interpreter)).Run(hooks);
}

}  // namespace qat
