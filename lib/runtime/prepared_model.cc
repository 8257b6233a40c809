#include "runtime/prepared_model.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "model/model_reader.h"
#include "model/tensor_reader.h"
#include "runtime/fusion.h"

namespace qat {
namespace {

// A constant is worth its memory up to here; a damaged size must not ask for more.
constexpr size_t kLargestFolded = size_t{1} << 26;

// As of tensors that the file gives a shape.
constexpr int64_t kLargestTensor = std::numeric_limits<int32_t>::max();

size_t BytesOf(const ModelTensor& tensor) {
  return static_cast<size_t>(FlatSize(tensor.shape)) * SizeOf(tensor.type);
}

KernelTensor AsKernelTensor(const ModelTensor& tensor) {
  return {tensor.shape, tensor.type,       tensor.constant,
          tensor.scale, tensor.zero_point, tensor.quantized_dimension};
}

size_t AlignedSize(size_t size) { return (size + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

/// The arena and its like: memory that begins at a cache line.
uint8_t* AlignedBegin(uint8_t* memory) {
  const size_t misaligned = reinterpret_cast<uintptr_t>(memory) % kArenaAlignment;
  return memory + (misaligned == 0 ? 0 : kArenaAlignment - misaligned);
}

class Preparation {
 public:
  Preparation(const Model& model, const InterpreterOptions& options) : model_(model), options_(options) {}

  Expected<std::shared_ptr<const PreparedModel>> Run();
  /// Prepares all nodes; errors other than kUnsupported stop it.
  Status PrepareNodes();
  const UnsupportedList& unsupported() const { return unsupported_; }

 private:
  Status TakeInputShapes();
  Status PrepareNode(size_t index);
  Expected<std::unique_ptr<Kernel>> PrepareKernel(size_t index);
  static Status CheckVersion(const ModelNode& node);
  Status CheckConstants(const ModelNode& node) const;
  Status CheckScales(const ModelNode& node) const;
  Status ResolveShapes(const ModelNode& node);
  bool CanFold(const ModelNode& node) const;
  void Fold(const ModelNode& node, const Kernel& kernel);
  std::vector<BufferLifetime> TensorLifetimes() const;
  void ShareMemory(std::vector<BufferLifetime>& lifetimes);
  void PlanArena();

  ModelTensor& tensor(int32_t index) { return prepared_->tensors[static_cast<size_t>(index)]; }
  const ModelTensor& tensor(int32_t index) const { return prepared_->tensors[static_cast<size_t>(index)]; }

  const Model& model_;
  const InterpreterOptions& options_;
  std::shared_ptr<PreparedModel> prepared_ = std::make_shared<PreparedModel>();
  std::vector<size_t> buffer_of_;  // by tensor: whose memory it lies in, its own but for results in place
  UnsupportedList unsupported_;
};

Expected<std::shared_ptr<const PreparedModel>> Preparation::Run() {
  QAT_RETURN_IF_ERROR(PrepareNodes());
  if (!unsupported_.empty())
    return Unsupported(StrCat(model_.source(), ": not supported: ", unsupported_.Text()));
  PlanArena();
  return std::shared_ptr<const PreparedModel>(std::move(prepared_));
}

Status Preparation::PrepareNodes() {
  QAT_CHECK(options_.threads >= 1 && options_.threads <= ThreadPool::kMaxThreads);
  QAT_ASSIGN_OR_RETURN(prepared_->isa,
                       options_.isa.has_value() ? ChooseIsa(NameOf(*options_.isa)) : ChooseIsa());
  prepared_->tensors = model_.tensors();
  prepared_->nodes.resize(model_.nodes().size());
  QAT_RETURN_IF_ERROR_IN(model_.source(), TakeInputShapes());
  for (size_t i = 0; i < model_.nodes().size(); ++i) {
    const ModelNode& node = model_.nodes()[i];
    prepared_->nodes[i].inputs = node.inputs;
    prepared_->nodes[i].outputs = node.outputs;
    const Status status = PrepareNode(i);
    if (status.ok()) continue;
    if (status.error().code == ErrorCode::kUnsupported) {
      unsupported_.Add(StrCat(DefinitionOf(node.type).tflite_name, " version ", node.version, ": ",
                              status.error().message),
                       model_.place_of(i));
      continue;
    }
    const std::string label = NodeLabel(model_.place_of(i), DefinitionOf(node.type));
    // The messages of shape rules are made for specs; here the file is wrong, or the requested shape does not
    // fit it.
    const std::string message = StrCat(model_.source(), ": ", label, ": ", status.error().message);
    return options_.input_shapes.empty() ? Corrupt(message) : InvalidArgument(message);
  }
  return {};
}

Status Preparation::TakeInputShapes() {
  const auto& inputs = model_.inputs();
  if (options_.input_shapes.empty()) return {};
  if (options_.input_shapes.size() != inputs.size()) {
    return InvalidArgument(
        StrCat(options_.input_shapes.size(), " input shapes for ", inputs.size(), " inputs"));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape& shape = options_.input_shapes[i];
    ModelTensor& input = tensor(inputs[i]);
    if (shape.size() != input.shape.size() || CheckedFlatSize(shape) < 1) {
      return InvalidArgument(
          StrCat("input '", input.name, "' is ", ToString(input.shape), ", cannot be ", ToString(shape)));
    }
    input.open = input.open || shape != input.shape;
    input.shape = shape;
  }
  return {};
}

Status Preparation::PrepareNode(size_t index) {
  const ModelNode& node = model_.nodes()[index];
  QAT_RETURN_IF_ERROR(CheckVersion(node));
  QAT_RETURN_IF_ERROR(CheckConstants(node));
  QAT_RETURN_IF_ERROR(ResolveShapes(node));
  QAT_RETURN_IF_ERROR(CheckScales(node));
  QAT_ASSIGN_OR_RETURN(auto kernel, PrepareKernel(index));
  PreparedNode& prepared = prepared_->nodes[index];
  if (prepared.fused) return {};  // Prepare has looked at it; it has run by then
  if (CanFold(node)) {
    Fold(node, *kernel);
    return {};
  }
  prepared.kernel = std::move(kernel);
  return {};
}

// With the pool after it, if the kernel can run that, too.
Expected<std::unique_ptr<Kernel>> Preparation::PrepareKernel(size_t index) {
  const ModelNode& node = model_.nodes()[index];
  std::vector<KernelTensor> inputs, outputs;
  for (int32_t input : node.inputs) inputs.push_back(AsKernelTensor(tensor(input)));
  for (int32_t output : node.outputs) outputs.push_back(AsKernelTensor(tensor(output)));
  std::vector<const KernelTensor*> pointers;
  for (const KernelTensor& input : inputs) pointers.push_back(&input);
  KernelContext context{DefinitionOf(node.type), node.attributes, pointers, outputs[0],      options_.kernels,
                        options_.profile,        prepared_->isa,  outputs,  options_.threads};
  const std::optional<size_t> pool = options_.keep_intermediates ? std::nullopt : MaxPoolAfter(model_, index);
  if (!pool.has_value() || !ResolveShapes(model_.nodes()[*pool]).ok())
    return FindKernels(node.type)->prepare(context);
  const ModelNode& pool_node = model_.nodes()[*pool];
  const KernelTensor pooled = AsKernelTensor(tensor(pool_node.outputs[0]));
  const PoolAfter following{std::get<Pool2DAttributes>(pool_node.attributes), pooled};
  context.pool = &following;
  QAT_ASSIGN_OR_RETURN(auto kernel, FindKernels(node.type)->prepare(context));
  if (kernel->runs_pool()) {
    prepared_->nodes[index].outputs = pool_node.outputs;
    prepared_->nodes[*pool].fused = true;
  }
  return kernel;
}

// A reader may have known more than the kernels do.
Status Preparation::CheckVersion(const ModelNode& node) {
  const OpKernels* kernels = FindKernels(node.type);
  if (kernels == nullptr) return Unsupported("has no kernel");
  if (node.version <= kernels->max_version) return {};
  return Unsupported(StrCat("known up to version ", kernels->max_version));
}

// Kernels read as many values of a constant as its shape says.
Status Preparation::CheckConstants(const ModelNode& node) const {
  for (const int32_t index : node.inputs) {
    const ModelTensor& input = tensor(index);
    if (!input.is_constant || SizeOf(input.type) == 0 || input.constant.size() == BytesOf(input)) continue;
    return Corrupt(StrCat("input '", input.name, "' has ", input.constant.size(), " bytes, expected ",
                          BytesOf(input), " for ", NameOf(input.type), " ", ToString(input.shape)));
  }
  return {};
}

// The reader has held scales to the shapes of the file, of which some were open.
Status Preparation::CheckScales(const ModelNode& node) const {
  for (const std::vector<int32_t>* list : {&node.inputs, &node.outputs}) {
    for (const int32_t index : *list) {
      const ModelTensor& each = tensor(index);
      if (ScalesFit(each)) continue;
      return Corrupt(StrCat("tensor '", each.name, "' has ", each.scale.size(), " scales along dimension ",
                            each.quantized_dimension, " of ", ToString(each.shape)));
    }
  }
  return {};
}

// The operator's rule says what the output shapes are. The file must agree, unless it left a size open or an
// input was given another shape.
Status Preparation::ResolveShapes(const ModelNode& node) {
  std::vector<Operand> operands;
  bool open = false;
  for (int32_t index : node.inputs) {
    operands.push_back({tensor(index).shape, tensor(index).type, tensor(index).constant});
    open = open || tensor(index).open;
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<Shape> shapes,
                       InferShapes(DefinitionOf(node.type), node.attributes, operands));
  if (node.outputs.size() != shapes.size())
    return Corrupt(StrCat("has ", node.outputs.size(), " outputs, expected ", shapes.size()));
  for (size_t i = 0; i < shapes.size(); ++i) {
    ModelTensor& output = tensor(node.outputs[i]);
    // CheckDataFlow has refused such a file; the data of a constant must never get another shape.
    if (output.is_constant) return Corrupt(StrCat("output '", output.name, "' is a constant"));
    output.open = output.open || open;
    if (!output.open && output.shape != shapes[i]) {
      return Corrupt(StrCat("output '", output.name, "' is ", ToString(output.shape), ", expected ",
                            ToString(shapes[i])));
    }
    if (shapes[i].size() > kMostDimensions) {
      return Corrupt(StrCat("output '", output.name, "' would have ", shapes[i].size(),
                            " dimensions, expected at most ", kMostDimensions));
    }
    const int64_t count = CheckedFlatSize(shapes[i]);
    if (count < 0 ||
        count > kLargestTensor / static_cast<int64_t>(std::max<size_t>(SizeOf(output.type), 1))) {
      return Corrupt(
          StrCat("output '", output.name, "' would be ", ToString(shapes[i]), ", expected at most 2 GiB"));
    }
    output.shape = shapes[i];
  }
  return {};
}

bool Preparation::CanFold(const ModelNode& node) const {
  size_t size = 0;
  for (int32_t output : node.outputs) size += BytesOf(tensor(output));
  if (size > kLargestFolded) return false;
  return DefinitionOf(node.type).reads_shapes_only ||
         std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](int32_t input) { return tensor(input).is_constant; });
}

void Preparation::Fold(const ModelNode& node, const Kernel& kernel) {
  size_t size = kernel.scratch_size() + 2 * kArenaAlignment;
  for (int32_t output : node.outputs) size += AlignedSize(BytesOf(tensor(output)));
  auto memory = std::make_unique<uint8_t[]>(size);
  uint8_t* at = AlignedBegin(memory.get());
  std::vector<uint8_t*> outputs;
  for (int32_t output : node.outputs) {
    outputs.push_back(at);
    at += AlignedSize(BytesOf(tensor(output)));
  }
  std::vector<const uint8_t*> inputs;
  for (int32_t input : node.inputs) inputs.push_back(tensor(input).constant.data());
  kernel.Eval({inputs, outputs[0], at, outputs});
  for (size_t i = 0; i < outputs.size(); ++i) {
    ModelTensor& output = tensor(node.outputs[i]);
    output.is_constant = true;
    output.constant = {outputs[i], BytesOf(output)};
  }
  prepared_->folded.push_back(std::move(memory));
}

// One lifetime per tensor; those without memory have size 0. Inputs live from the first step to the last, so
// that Invoke can run again on the same input.
std::vector<BufferLifetime> Preparation::TensorLifetimes() const {
  const auto end = static_cast<int32_t>(model_.nodes().size());
  const bool keep = options_.keep_intermediates;
  std::vector<BufferLifetime> lifetimes(prepared_->tensors.size());
  const auto live = [&](int32_t index, int32_t first, int32_t last) {
    BufferLifetime& lifetime = lifetimes[static_cast<size_t>(index)];
    if (tensor(index).is_constant) return;
    if (lifetime.size == 0) lifetime = {std::max<size_t>(BytesOf(tensor(index)), 1), first, last};
    lifetime.last = std::max(lifetime.last, last);
  };
  for (int32_t input : model_.inputs()) live(input, 0, end);
  for (int32_t i = 0; i < end; ++i) {
    const PreparedNode& node = prepared_->nodes[static_cast<size_t>(i)];
    if (node.kernel == nullptr) continue;
    for (int32_t input : node.inputs) live(input, 0, i);
    for (int32_t output : node.outputs) live(output, keep ? 0 : i, keep ? end : i);
  }
  for (int32_t output : model_.outputs()) live(output, 0, end);
  return lifetimes;
}

// Places the output of a node over an input that is not read later, if the kernel allows that.
void Preparation::ShareMemory(std::vector<BufferLifetime>& lifetimes) {
  buffer_of_.resize(lifetimes.size());
  for (size_t i = 0; i < buffer_of_.size(); ++i) buffer_of_[i] = i;
  for (size_t i = 0; i < prepared_->nodes.size(); ++i) {
    const PreparedNode& node = prepared_->nodes[i];
    if (node.kernel == nullptr) continue;
    const auto output = static_cast<size_t>(node.outputs[0]);
    for (const size_t position : node.kernel->in_place_inputs()) {
      const size_t buffer = buffer_of_[static_cast<size_t>(node.inputs[position])];
      if (lifetimes[buffer].size == 0 || lifetimes[buffer].last != static_cast<int32_t>(i)) continue;
      lifetimes[buffer].last = lifetimes[output].last;
      lifetimes[buffer].size = std::max(lifetimes[buffer].size, lifetimes[output].size);
      lifetimes[output] = {};
      buffer_of_[output] = buffer;
      break;
    }
  }
}

void Preparation::PlanArena() {
  std::vector<BufferLifetime> buffers = TensorLifetimes();
  const size_t tensors = buffers.size();
  ShareMemory(buffers);
  prepared_->activation_size = PlanMemory(buffers).end;
  for (size_t i = 0; i < prepared_->nodes.size(); ++i) {
    const auto step = static_cast<int32_t>(i);
    const Kernel* kernel = prepared_->nodes[i].kernel.get();
    buffers.push_back({kernel == nullptr ? 0 : kernel->scratch_size(), step, step});
  }
  const MemoryPlan plan = PlanMemory(buffers);
  prepared_->arena_size = plan.arena_size;
  prepared_->arena_peak = PeakOf(buffers);
  for (size_t i = 0; i < tensors; ++i) {
    const size_t buffer = buffer_of_[i];
    prepared_->offsets.push_back(buffers[buffer].size > 0 ? plan.offsets[buffer] : PreparedModel::kNoMemory);
  }
  prepared_->scratch_offsets.assign(plan.offsets.begin() + static_cast<int64_t>(tensors), plan.offsets.end());
}

bool SameOptions(const InterpreterOptions& a, const InterpreterOptions& b) {
  return a.kernels == b.kernels && a.profile == b.profile && a.isa == b.isa && a.threads == b.threads &&
         a.input_shapes == b.input_shapes && a.keep_intermediates == b.keep_intermediates;
}

}  // namespace

size_t PreparedModel::ByteSize(int32_t tensor) const { return BytesOf(tensors[static_cast<size_t>(tensor)]); }

Expected<std::shared_ptr<const PreparedModel>> PrepareModel(const Model& model,
                                                            const InterpreterOptions& options) {
  QAT_RETURN_IF_ERROR(CheckKnown(model));
  return Preparation(model, options).Run();
}

UnsupportedList UnsupportedParts(const Model& model) {
  UnsupportedList all = model.unsupported();
  const InterpreterOptions options;
  Preparation preparation(model, options);
  if (preparation.PrepareNodes().ok()) all.Add(preparation.unsupported());
  return all;
}

Status CheckKnown(const Model& model) {
  if (model.unsupported().empty()) return {};
  return Unsupported(StrCat(model.source(), ": not supported: ", UnsupportedParts(model).Text()));
}

Expected<std::shared_ptr<const PreparedModel>> SharedPreparation(const std::shared_ptr<const Model>& model,
                                                                 const InterpreterOptions& options) {
  struct Entry {
    std::weak_ptr<const Model> model;
    InterpreterOptions options;
    std::weak_ptr<const PreparedModel> prepared;
  };
  static std::mutex mutex;
  static std::vector<Entry> entries;
  // The environment names an instruction set that may change between two interpreters.
  InterpreterOptions resolved = options;
  QAT_ASSIGN_OR_RETURN(resolved.isa, options.isa.has_value() ? ChooseIsa(NameOf(*options.isa)) : ChooseIsa());
  const std::lock_guard lock(mutex);
  std::erase_if(entries,
                [](const Entry& entry) { return entry.prepared.expired() || entry.model.expired(); });
  for (const Entry& entry : entries) {
    if (entry.model.lock() != model || !SameOptions(entry.options, resolved)) continue;
    if (auto prepared = entry.prepared.lock()) return prepared;
  }
  QAT_ASSIGN_OR_RETURN(auto prepared, PrepareModel(*model, resolved));
  entries.push_back({model, resolved, prepared});
  return prepared;
}

}  // namespace qat
