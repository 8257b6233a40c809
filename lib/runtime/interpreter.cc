#include "runtime/interpreter.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"
#include "base/strings.h"
#include "runtime/model_reader.h"
#include "runtime/planner.h"

namespace qat {
namespace {

struct FreeDeleter {
  void operator()(void* memory) const { std::free(memory); }
};

struct PlannedNode {
  std::unique_ptr<Kernel> kernel;
  std::vector<const uint8_t*> inputs;
  std::vector<uint8_t*> outputs;
  uint8_t* scratch = nullptr;
};

size_t ByteSize(const ModelTensor& tensor) {
  return static_cast<size_t>(FlatSize(tensor.shape)) * SizeOf(tensor.type);
}

// The recorded output shapes must be what the operator's rule makes of its inputs.
Status CheckShapes(const Model& model, const ModelNode& node) {
  std::vector<Operand> operands;
  for (int32_t index : node.inputs) {
    const ModelTensor& tensor = model.tensors()[static_cast<size_t>(index)];
    operands.push_back({tensor.shape, tensor.type, tensor.constant});
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<Shape> shapes,
                       InferShapes(DefinitionOf(node.type), node.attributes, operands));
  if (node.outputs.size() != shapes.size())
    return Corrupt(StrCat("has ", node.outputs.size(), " outputs, expected ", shapes.size()));
  for (size_t i = 0; i < shapes.size(); ++i) {
    const ModelTensor& output = model.tensors()[static_cast<size_t>(node.outputs[i])];
    if (output.shape == shapes[i]) continue;
    return Corrupt(
        StrCat("output '", output.name, "' is ", ToString(output.shape), ", expected ", ToString(shapes[i])));
  }
  return {};
}

KernelTensor AsKernelTensor(const ModelTensor& tensor) {
  return {tensor.shape, tensor.type,       tensor.constant,
          tensor.scale, tensor.zero_point, tensor.quantized_dimension};
}

Expected<std::unique_ptr<Kernel>> PrepareNode(const Model& model, const ModelNode& node,
                                              const InterpreterOptions& options, Isa isa) {
  QAT_RETURN_IF_ERROR(CheckShapes(model, node));
  std::vector<KernelTensor> inputs;
  for (int32_t index : node.inputs)
    inputs.push_back(AsKernelTensor(model.tensors()[static_cast<size_t>(index)]));
  std::vector<const KernelTensor*> pointers;
  for (const KernelTensor& input : inputs) pointers.push_back(&input);
  std::vector<KernelTensor> outputs;
  for (int32_t index : node.outputs)
    outputs.push_back(AsKernelTensor(model.tensors()[static_cast<size_t>(index)]));
  return FindKernels(node.type)->prepare({DefinitionOf(node.type), node.attributes, pointers, outputs[0],
                                          options.kernels, options.profile, isa, outputs, options.threads});
}

Expected<Isa> IsaOf(const InterpreterOptions& options) {
  return options.isa.has_value() ? ChooseIsa(NameOf(*options.isa)) : ChooseIsa();
}

}  // namespace

struct Interpreter::Impl {
  std::shared_ptr<const Model> model;
  bool keep_intermediates = false;
  std::vector<PlannedNode> nodes;
  std::vector<uint8_t*> computed;  // by tensor; null: constant or unused
  std::unique_ptr<uint8_t, FreeDeleter> memory;
  size_t arena_size = 0;
  std::unique_ptr<ThreadPool> pool;      // null: one thread
  std::optional<size_t> stopped_behind;  // the node last run by InvokeNode

  Status PrepareNodes(const InterpreterOptions& options);
  std::vector<BufferLifetime> TensorLifetimes() const;
  Status PlanArena();
  void BindNodes();
  const uint8_t* Data(int32_t tensor) const;
  bool IsReadable(int32_t tensor) const;
};

Status Interpreter::Impl::PrepareNodes(const InterpreterOptions& options) {
  QAT_ASSIGN_OR_RETURN(const Isa isa, IsaOf(options));
  std::vector<std::string> unsupported;
  for (size_t i = 0; i < model->nodes().size(); ++i) {
    const ModelNode& node = model->nodes()[i];
    const std::string label = NodeLabel(i, DefinitionOf(node.type));
    auto kernel = PrepareNode(*model, node, options, isa);
    if (kernel.ok()) {
      nodes.push_back({*std::move(kernel), {}, {}, nullptr});
    } else if (kernel.error().code == ErrorCode::kUnsupported) {
      unsupported.push_back(StrCat(label, ": ", kernel.error().message));
    } else {
      // Shape rules speak to whoever wrote a spec; here the file is wrong.
      return Corrupt(StrCat(model->source(), ": ", label, ": ", kernel.error().message));
    }
  }
  if (unsupported.empty()) return {};
  return Unsupported(StrCat(model->source(), ": ", Join(unsupported, "; ")));
}

// One lifetime a tensor; those without memory have size 0. Inputs live from the first step to the last, so
// that Invoke can run again on the same input.
std::vector<BufferLifetime> Interpreter::Impl::TensorLifetimes() const {
  const auto end = static_cast<int32_t>(nodes.size());
  std::vector<BufferLifetime> lifetimes(model->tensors().size());
  const auto live = [&](int32_t index, int32_t first, int32_t last) {
    const ModelTensor& tensor = model->tensors()[static_cast<size_t>(index)];
    BufferLifetime& lifetime = lifetimes[static_cast<size_t>(index)];
    if (tensor.is_constant) return;
    if (lifetime.size == 0) lifetime = {std::max<size_t>(ByteSize(tensor), 1), first, last};
    lifetime.last = std::max(lifetime.last, last);
  };
  for (int32_t input : model->inputs()) live(input, 0, end);
  for (int32_t i = 0; i < end; ++i) {
    const ModelNode& node = model->nodes()[static_cast<size_t>(i)];
    for (int32_t input : node.inputs) live(input, 0, i);
    for (int32_t output : node.outputs)
      live(output, keep_intermediates ? 0 : i, keep_intermediates ? end : i);
  }
  for (int32_t output : model->outputs()) live(output, 0, end);
  return lifetimes;
}

Status Interpreter::Impl::PlanArena() {
  std::vector<BufferLifetime> buffers = TensorLifetimes();
  const size_t tensors = buffers.size();
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto step = static_cast<int32_t>(i);
    buffers.push_back({nodes[i].kernel->scratch_size(), step, step});
  }
  const MemoryPlan plan = PlanMemory(buffers);
  arena_size = plan.arena_size;
  // Zeroed, so that a first Invoke without an input is defined too; one alignment more to begin at a cache
  // line.
  memory.reset(static_cast<uint8_t*>(std::calloc(arena_size + kArenaAlignment, 1)));
  if (memory == nullptr)
    return SystemError(StrCat(model->source(), ": no memory for an arena of ", arena_size, " bytes"));
  const size_t misaligned = reinterpret_cast<uintptr_t>(memory.get()) % kArenaAlignment;
  uint8_t* const arena = memory.get() + (misaligned == 0 ? 0 : kArenaAlignment - misaligned);
  computed.assign(tensors, nullptr);
  for (size_t i = 0; i < tensors; ++i) {
    if (buffers[i].size > 0) computed[i] = arena + plan.offsets[i];
  }
  for (size_t i = 0; i < nodes.size(); ++i) nodes[i].scratch = arena + plan.offsets[tensors + i];
  return {};
}

void Interpreter::Impl::BindNodes() {
  for (size_t i = 0; i < nodes.size(); ++i) {
    const ModelNode& node = model->nodes()[i];
    for (int32_t input : node.inputs) nodes[i].inputs.push_back(Data(input));
    for (int32_t output : node.outputs) nodes[i].outputs.push_back(computed[static_cast<size_t>(output)]);
  }
}

const uint8_t* Interpreter::Impl::Data(int32_t tensor) const {
  const ModelTensor& info = model->tensors()[static_cast<size_t>(tensor)];
  return info.is_constant ? info.constant.data() : computed[static_cast<size_t>(tensor)];
}

bool Interpreter::Impl::IsReadable(int32_t tensor) const {
  const auto among = [&](const std::vector<int32_t>& list) {
    return std::find(list.begin(), list.end(), tensor) != list.end();
  };
  return keep_intermediates ||
         (stopped_behind.has_value() && among(model->nodes()[*stopped_behind].outputs)) ||
         model->tensors()[static_cast<size_t>(tensor)].is_constant || among(model->inputs()) ||
         among(model->outputs());
}

Expected<std::unique_ptr<Interpreter>> Interpreter::Create(std::shared_ptr<const Model> model,
                                                           const InterpreterOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->model = std::move(model);
  impl->keep_intermediates = options.keep_intermediates;
  QAT_RETURN_IF_ERROR(impl->PrepareNodes(options));
  QAT_RETURN_IF_ERROR(impl->PlanArena());
  impl->BindNodes();
  QAT_CHECK(options.threads >= 1 && options.threads <= ThreadPool::kMaxThreads);
  if (options.threads > 1) impl->pool = std::make_unique<ThreadPool>(options.threads);
  return std::unique_ptr<Interpreter>(new Interpreter(std::move(impl)));
}

Interpreter::Interpreter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Interpreter::~Interpreter() = default;

const Model& Interpreter::model() const { return *impl_->model; }

const ModelTensor& Interpreter::input_info(size_t position) const {
  QAT_CHECK(position < model().inputs().size());
  return model().tensors()[static_cast<size_t>(model().inputs()[position])];
}

const ModelTensor& Interpreter::output_info(size_t position) const {
  QAT_CHECK(position < model().outputs().size());
  return model().tensors()[static_cast<size_t>(model().outputs()[position])];
}

std::span<uint8_t> Interpreter::input(size_t position) {
  const ModelTensor& info = input_info(position);
  return {impl_->computed[static_cast<size_t>(model().inputs()[position])], ByteSize(info)};
}

std::span<const uint8_t> Interpreter::output(size_t position) const {
  const ModelTensor& info = output_info(position);
  return {impl_->Data(model().outputs()[position]), ByteSize(info)};
}

Expected<std::span<const uint8_t>> Interpreter::tensor(int32_t index) const {
  if (index < 0 || static_cast<size_t>(index) >= model().tensors().size()) {
    return InvalidArgument(StrCat("tensor ", index, ", the model has ", model().tensors().size()));
  }
  if (!impl_->IsReadable(index)) {
    return InvalidArgument(StrCat("tensor ", index, " is an intermediate, whose memory is used again"));
  }
  if (impl_->Data(index) == nullptr)
    return InvalidArgument(StrCat("tensor ", index, " is used by no operator"));
  return std::span<const uint8_t>(impl_->Data(index),
                                  ByteSize(model().tensors()[static_cast<size_t>(index)]));
}

void Interpreter::Invoke() {
  for (size_t i = 0; i < impl_->nodes.size(); ++i) InvokeNode(i);
  impl_->stopped_behind.reset();
}

void Interpreter::InvokeNode(size_t index) {
  QAT_CHECK(index < impl_->nodes.size());
  const PlannedNode& node = impl_->nodes[index];
  node.kernel->Eval({node.inputs, node.outputs[0], node.scratch, node.outputs, impl_->pool.get()});
  impl_->stopped_behind = index;
}

size_t Interpreter::arena_size() const { return impl_->arena_size; }

std::vector<std::string> Interpreter::KernelNames() const {
  std::vector<std::string> names;
  for (const PlannedNode& node : impl_->nodes) names.push_back(node.kernel->name());
  return names;
}

}  // namespace qat
