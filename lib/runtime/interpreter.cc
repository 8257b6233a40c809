#include "runtime/interpreter.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"
#include "base/strings.h"
#include "runtime/prepared_model.h"

namespace qat {
namespace {

struct FreeDeleter {
  void operator()(void* memory) const { std::free(memory); }
};

struct BoundNode {
  const Kernel* kernel = nullptr;  // null: folded into a constant, or fused
  std::vector<const uint8_t*> inputs;
  std::vector<uint8_t*> outputs;
  uint8_t* scratch = nullptr;
};

}  // namespace

struct Interpreter::Impl {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const PreparedModel> prepared;
  bool keep_intermediates = false;
  bool isa_was_named = false;
  std::vector<BoundNode> nodes;
  std::vector<uint8_t*> computed;  // by tensor; null: constant or unused
  std::unique_ptr<uint8_t, FreeDeleter> memory;
  std::unique_ptr<ThreadPool> pool;     // null: one thread
  std::optional<size_t> stopped_after;  // the node last run by InvokeNode

  Status BindTensors();
  void BindNodes();
  const ModelTensor& Info(int32_t tensor) const { return prepared->tensors[static_cast<size_t>(tensor)]; }
  const uint8_t* Data(int32_t tensor) const;
  bool IsReadable(int32_t tensor) const;
};

Status Interpreter::Impl::BindTensors() {
  // Zeroed, so that a first Invoke without an input is defined too; one alignment more to begin at a cache
  // line.
  memory.reset(static_cast<uint8_t*>(std::calloc(prepared->arena_size + kArenaAlignment, 1)));
  if (memory == nullptr) {
    return SystemError(
        StrCat(model->source(), ": no memory for an arena of ", prepared->arena_size, " bytes"));
  }
  const size_t misaligned = reinterpret_cast<uintptr_t>(memory.get()) % kArenaAlignment;
  uint8_t* const arena = memory.get() + (misaligned == 0 ? 0 : kArenaAlignment - misaligned);
  for (const size_t offset : prepared->offsets)
    computed.push_back(offset == PreparedModel::kNoMemory ? nullptr : arena + offset);
  for (const size_t offset : prepared->scratch_offsets) nodes.emplace_back().scratch = arena + offset;
  return {};
}

void Interpreter::Impl::BindNodes() {
  for (size_t i = 0; i < nodes.size(); ++i) {
    const PreparedNode& node = prepared->nodes[i];
    nodes[i].kernel = node.kernel.get();
    for (int32_t input : node.inputs) nodes[i].inputs.push_back(Data(input));
    for (int32_t output : node.outputs) nodes[i].outputs.push_back(computed[static_cast<size_t>(output)]);
  }
}

const uint8_t* Interpreter::Impl::Data(int32_t tensor) const {
  return Info(tensor).is_constant ? Info(tensor).constant.data() : computed[static_cast<size_t>(tensor)];
}

bool Interpreter::Impl::IsReadable(int32_t tensor) const {
  const auto among = [&](const std::vector<int32_t>& list) {
    return std::find(list.begin(), list.end(), tensor) != list.end();
  };
  return keep_intermediates || (stopped_after.has_value() && among(model->nodes()[*stopped_after].outputs)) ||
         Info(tensor).is_constant || among(model->inputs()) || among(model->outputs());
}

Expected<std::unique_ptr<Interpreter>> Interpreter::Create(std::shared_ptr<const Model> model,
                                                           const InterpreterOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->model = std::move(model);
  QAT_ASSIGN_OR_RETURN(impl->prepared, SharedPreparation(impl->model, options));
  impl->keep_intermediates = options.keep_intermediates;
  impl->isa_was_named = options.isa.has_value() || std::getenv("QAT_FORCE_ISA") != nullptr;
  QAT_RETURN_IF_ERROR(impl->BindTensors());
  impl->BindNodes();
  if (options.threads > 1) impl->pool = std::make_unique<ThreadPool>(options.threads);
  return std::unique_ptr<Interpreter>(new Interpreter(std::move(impl)));
}

Interpreter::Interpreter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Interpreter::~Interpreter() = default;

const Model& Interpreter::model() const { return *impl_->model; }

const ModelTensor& Interpreter::input_info(size_t position) const {
  QAT_CHECK(position < model().inputs().size());
  return impl_->Info(model().inputs()[position]);
}

const ModelTensor& Interpreter::output_info(size_t position) const {
  QAT_CHECK(position < model().outputs().size());
  return impl_->Info(model().outputs()[position]);
}

std::span<uint8_t> Interpreter::input(size_t position) {
  QAT_CHECK(position < model().inputs().size());
  const int32_t index = model().inputs()[position];
  return {impl_->computed[static_cast<size_t>(index)], impl_->prepared->ByteSize(index)};
}

std::span<const uint8_t> Interpreter::output(size_t position) const {
  QAT_CHECK(position < model().outputs().size());
  const int32_t index = model().outputs()[position];
  return {impl_->Data(index), impl_->prepared->ByteSize(index)};
}

Expected<std::span<const uint8_t>> Interpreter::tensor(int32_t index) const {
  if (index < 0 || static_cast<size_t>(index) >= model().tensors().size()) {
    return InvalidArgument(StrCat("tensor ", index, ", the model has ", model().tensors().size()));
  }
  if (!impl_->IsReadable(index)) {
    return InvalidArgument(StrCat("tensor ", index, " is an intermediate, whose memory is used again"));
  }
  if (impl_->Data(index) == nullptr)
    return InvalidArgument(StrCat("tensor ", index, " is used by no operator, or only within a fused one"));
  return std::span<const uint8_t>(impl_->Data(index), impl_->prepared->ByteSize(index));
}

void Interpreter::Invoke() {
  for (size_t i = 0; i < impl_->nodes.size(); ++i) InvokeNode(i);
  impl_->stopped_after.reset();
}

void Interpreter::InvokeNode(size_t index) {
  QAT_CHECK(index < impl_->nodes.size());
  const BoundNode& node = impl_->nodes[index];
  if (node.kernel != nullptr)
    node.kernel->Eval({node.inputs, node.outputs[0], node.scratch, node.outputs, impl_->pool.get()});
  impl_->stopped_after = index;
}

const ModelTensor& Interpreter::tensor_info(int32_t index) const {
  QAT_CHECK(index >= 0 && static_cast<size_t>(index) < model().tensors().size());
  return impl_->Info(index);
}

size_t Interpreter::arena_size() const { return impl_->prepared->arena_size; }
size_t Interpreter::arena_peak() const { return impl_->prepared->arena_peak; }
size_t Interpreter::activation_size() const { return impl_->prepared->activation_size; }
Isa Interpreter::isa() const { return impl_->prepared->isa; }
bool Interpreter::isa_was_named() const { return impl_->isa_was_named; }

std::vector<std::string> Interpreter::KernelNames() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < impl_->nodes.size(); ++i) {
    const Kernel* kernel = impl_->nodes[i].kernel;
    const std::string_view without = impl_->prepared->nodes[i].fused ? "/fused" : "/folded";
    names.push_back(kernel != nullptr ? kernel->name()
                                      : StrCat(DefinitionOf(model().nodes()[i].type).name, without));
  }
  return names;
}

std::vector<const ModelTensor*> InputInfos(const Interpreter& interpreter) {
  std::vector<const ModelTensor*> infos;
  for (size_t i = 0; i < interpreter.model().inputs().size(); ++i)
    infos.push_back(&interpreter.input_info(i));
  return infos;
}

}  // namespace qat
