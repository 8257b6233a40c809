#include "eval/litert.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/file_kind.h"
#include "base/strings.h"
#include "eval/child_process.h"
#include "eval/litert_script.h"
#include "model/model_contract.h"
#include "runtime/classifier_io.h"
#include "runtime/interpreter.h"
#include "runtime/layer_outputs.h"
#include "runtime/model_predictor.h"

namespace qat {
namespace {

constexpr uint8_t kDone = 0, kNoTflite = 2;

// The child and its frames (litert_script.h).
class Session {
 public:
  static Expected<Session> Start(const std::string& python, std::span<const uint8_t> model, bool reference) {
    QAT_ASSIGN_OR_RETURN(auto child, ChildProcess::Start({python, "-I", "-c", kLitertScript}));
    Session session(python, std::move(child));
    const uint64_t size = model.size();
    Bytes head(sizeof size);
    std::memcpy(head.data(), &size, sizeof size);
    head.push_back(reference ? 1 : 0);
    QAT_RETURN_IF_ERROR_IN(python, session.child_->Send(head));
    QAT_RETURN_IF_ERROR_IN(python, session.child_->Send(model));
    QAT_ASSIGN_OR_RETURN_IN(python, const Bytes version, session.Answer());
    const std::vector<std::string> lines = SplitText(std::string(version.begin(), version.end()), '\n');
    session.version_ = lines.empty() ? "" : lines[0];
    session.lacking_ = lines.size() < 2 ? "" : lines[1];
    return session;
  }

  /// "ai-edge-litert 2.3.0".
  const std::string& version() const { return version_; }
  /// "ELU": an operator that has no reference kernel, so that others answer; else empty.
  const std::string& lacking() const { return lacking_; }

  Status Request(char command, size_t count, std::span<const uint8_t> payload) {
    const auto number = static_cast<uint32_t>(count);
    Bytes bytes(5);
    bytes[0] = static_cast<uint8_t>(command);
    std::memcpy(&bytes[1], &number, sizeof number);
    QAT_RETURN_IF_ERROR_IN(python_, child_->Send(bytes));
    QAT_RETURN_IF_ERROR_IN(python_, child_->Send(payload));
    return {};
  }

  Expected<Bytes> Answer() {
    uint8_t head[9];
    QAT_RETURN_IF_ERROR(child_->Receive(head));
    uint64_t size;
    std::memcpy(&size, head + 1, sizeof size);
    if (size > kLargestTable) return SystemError(StrCat("an answer of ", size, " bytes was announced"));
    Bytes payload(size);
    QAT_RETURN_IF_ERROR(child_->Receive(payload));
    if (head[0] == kDone) return payload;
    if (head[0] == kNoTflite) {
      return NotFound("has none of the modules ai_edge_litert, tflite_runtime and tensorflow");
    }
    return Unsupported(StrCat("TFLite refuses it (", std::string(payload.begin(), payload.end()), ")"));
  }

 private:
  Session(std::string python, std::unique_ptr<ChildProcess> child)
      : python_(std::move(python)), child_(std::move(child)) {}
  std::string python_;
  std::string version_, lacking_;
  std::unique_ptr<ChildProcess> child_;
};

void AppendNumber(int32_t number, Bytes& bytes) {
  const size_t end = bytes.size();
  bytes.resize(end + sizeof number);
  std::memcpy(&bytes[end], &number, sizeof number);
}

class LitertPredictor : public Predictor {
 public:
  // `interpreter` is ours: it knows the tensors.
  LitertPredictor(std::unique_ptr<Interpreter> interpreter, std::string name, std::string type,
                  ClassifierIo io, Session session)
      : interpreter_(std::move(interpreter)),
        name_(std::move(name)),
        type_(std::move(type)),
        io_(std::move(io)),
        session_(std::move(session)) {
    size_t size = 0;
    for (size_t i = 0; i < interpreter_->model().inputs().size(); ++i) size += interpreter_->input(i).size();
    input_.resize(size);
  }

  const std::string& name() const override { return name_; }
  std::string kind() const override { return "litert"; }
  std::string type() const override { return type_; }
  const Contract& contract() const override { return io_.contract(); }

  Status ReadOutputs(const std::vector<size_t>& places, std::vector<OutputContract> outputs) override {
    QAT_ASSIGN_OR_RETURN_IN(
        name_, io_,
        io_.WithOutputs(places, std::move(outputs), InputInfos(*interpreter_), OutputInfos(*interpreter_),
                        ProbabilitiesOf(interpreter_->model())));
    return {};
  }

  Expected<Predictions> Predict(std::span<const uint8_t> images, int64_t count) override {
    const auto size = static_cast<size_t>(contract().ExampleSize());
    Bytes inputs;
    for (int64_t i = 0; i < count; ++i) {
      QAT_RETURN_IF_ERROR(Load(images.subspan(static_cast<size_t>(i) * size, size)));
      inputs.insert(inputs.end(), input_.begin(), input_.end());
    }
    QAT_RETURN_IF_ERROR(session_.Request('P', static_cast<size_t>(count), inputs));
    QAT_ASSIGN_OR_RETURN_IN(name_, const Bytes outputs, session_.Answer());
    std::span<const uint8_t> rest = outputs;
    Predictions predictions = io_.Empty();
    for (int64_t i = 0; i < count; ++i) {
      std::vector<std::span<const uint8_t>> own;
      for (size_t output = 0; output < interpreter_->model().outputs().size(); ++output) {
        const size_t bytes = interpreter_->output(output).size();
        if (rest.size() < bytes) return SystemError(StrCat(name_, ": an answer is cut off"));
        own.push_back(rest.first(bytes));
        rest = rest.subspan(bytes);
      }
      QAT_RETURN_IF_ERROR_IN(StrCat(name_, ": image ", i), io_.Append(own, predictions));
    }
    return predictions;
  }

  Status Load(std::span<const uint8_t> image) override {
    std::vector<std::span<uint8_t>> inputs;
    std::span<uint8_t> rest = input_;
    for (size_t i = 0; i < interpreter_->model().inputs().size(); ++i) {
      const size_t size = interpreter_->input(i).size();
      inputs.push_back(rest.first(size));
      rest = rest.subspan(size);
    }
    QAT_RETURN_IF_ERROR_IN(name_, io_.Load(image, inputs));
    return {};
  }

  Expected<std::vector<LayerOutput>> Layers(std::span<const uint8_t> image) override {
    QAT_RETURN_IF_ERROR(Load(image));
    const std::vector<LayerTensor> tensors = LayerTensors(*interpreter_);
    Bytes request;
    for (const LayerTensor& tensor : tensors) AppendNumber(tensor.index, request);
    request.insert(request.end(), input_.begin(), input_.end());
    QAT_RETURN_IF_ERROR(session_.Request('T', tensors.size(), request));
    QAT_ASSIGN_OR_RETURN_IN(name_, const Bytes answer, session_.Answer());
    std::vector<LayerOutput> outputs;
    std::span<const uint8_t> rest = answer;
    for (const LayerTensor& tensor : tensors) {
      uint64_t size = 0;
      if (rest.size() < sizeof size) return SystemError(StrCat(name_, ": an answer is cut off"));
      std::memcpy(&size, rest.data(), sizeof size);
      rest = rest.subspan(sizeof size);
      if (rest.size() < size) return SystemError(StrCat(name_, ": an answer is cut off"));
      if (size > 0) outputs.push_back(ReadLayer(tensor, rest.first(size)));
      rest = rest.subspan(size);
    }
    return outputs;
  }

  Status Invoke() override {
    QAT_RETURN_IF_ERROR(session_.Request('P', 1, input_));
    QAT_ASSIGN_OR_RETURN_IN(name_, const Bytes output, session_.Answer());
    return output.empty() ? Unsupported(StrCat(name_, ": the output is empty")) : Status();
  }

 private:
  std::unique_ptr<Interpreter> interpreter_;
  std::string name_;
  std::string type_;
  ClassifierIo io_;
  Session session_;
  Bytes input_;  ///< of all inputs of the model, one after the other
};

// The reference kernel of SUM in ai-edge-litert 2.3.0 adds up integers wrongly; its other kernel does not.
bool HasAWrongReference(const Model& model) {
  return std::any_of(model.nodes().begin(), model.nodes().end(), [&](const ModelNode& node) {
    const ModelTensor& output = model.tensors()[static_cast<size_t>(node.outputs[0])];
    return node.type == OpType::kSum && output.type != DType::kFloat32;
  });
}

}  // namespace

Expected<Litert> MakeLitertPredictor(std::shared_ptr<const Model> model, std::string name,
                                     const Contract& contract, const std::string& python) {
  const bool unasked = python.empty();
  QAT_ASSIGN_OR_RETURN(const std::string program, FindProgram(unasked ? "python3" : python, unasked));
  QAT_ASSIGN_OR_RETURN(auto interpreter, Interpreter::Create(model));
  QAT_ASSIGN_OR_RETURN(ClassifierIo io,
                       ClassifierIo::Create(contract, InputInfos(*interpreter), OutputInfos(*interpreter),
                                            ProbabilitiesOf(*model)));
  Litert litert;
  const bool wrong = HasAWrongReference(*model);
  QAT_ASSIGN_OR_RETURN(Session session, Session::Start(program, model->file_bytes(), !wrong));
  litert.without_reference = wrong ? "SUM" : session.lacking();
  litert.version = session.version();
  litert.python = program;
  std::string type = WorkTypeOf(*model);
  litert.predictor = std::make_unique<LitertPredictor>(std::move(interpreter), std::move(name),
                                                       std::move(type), std::move(io), std::move(session));
  return litert;
}

}  // namespace qat
