// kernel.h: the interface between the interpreter and a compute kernel. Prepare (kernels/<stem>.cc) validates
// everything and chooses the implementation once; Eval trusts it, cannot fail and allocates nothing.
#ifndef QAT_RUNTIME_KERNELS_KERNEL_H_
#define QAT_RUNTIME_KERNELS_KERNEL_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/expected.h"
#include "base/strings.h"
#include "ops/op.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_pool.h"

namespace qat {

/// Which kernels run. Outputs are equal byte for byte for integer models; float may differ in the last bits.
enum class KernelSet {
  kReference,  ///< the plain loops that define the arithmetic
  kFast,       ///< kernels for the instruction set, else portable fast ones, else the reference
};

/// docs/quantization.md#profiles. They differ in the requantization of fully connected layers, and the last
/// in logistic and tanh.
enum class ArithmeticProfile {
  kTflite,         ///< reference kernels of ai-edge-litert 2.3.0
  kTfliteClassic,  ///< TensorFlow 1.13 to 2.19: the fixed-point multiplier everywhere
  /// the same, and logistic and tanh of int8 in fixed point: TensorFlow Lite for Microcontrollers
  kTfliteMicro,
};

/// Of fully connected layers, instead of a product in double.
constexpr bool UsesMultipliers(ArithmeticProfile profile) { return profile != ArithmeticProfile::kTflite; }

/// A tensor as Prepare sees it. `constant` is empty unless the values are known.
struct KernelTensor {
  Shape shape;
  DType type = DType::kFloat32;
  std::span<const uint8_t> constant;
  std::span<const float>
      scale;  ///< empty: not quantized; else one entry, or one per slice of quantized_dimension
  std::span<const int64_t> zero_point;
  int32_t quantized_dimension = 0;  ///< with several scales
};

/// A max pool that is the only reader of the output of a node: it may run as part of the node's kernel.
struct PoolAfter {
  const Pool2DAttributes& attributes;
  const KernelTensor& output;
};

/// One node for Prepare. Its shapes have passed OpDefinition::infer_shape; types and scales have not been
/// looked at.
struct KernelContext {
  const OpDefinition& definition;
  const OpAttributes& attributes;
  std::span<const KernelTensor* const> inputs;  ///< null: an optional input left out
  const KernelTensor& output;
  KernelSet kernels = KernelSet::kFast;
  ArithmeticProfile profile = ArithmeticProfile::kTflite;
  Isa isa = Isa::kPortable;                              ///< for KernelSet::kFast
  std::span<const KernelTensor> outputs = {&output, 1};  ///< all of them; `output` is the first
  int threads = 1;                  ///< those of KernelBuffers::pool: for scratch that each needs of its own
  const PoolAfter* pool = nullptr;  ///< null: none

  /// The input at `position`, null where it is left out or absent.
  const KernelTensor* input(size_t position) const {
    return position < inputs.size() ? inputs[position] : nullptr;
  }
  template <class Attributes>
  const Attributes& As() const {
    return std::get<Attributes>(attributes);
  }
};

/// Where the tensors of one node lie, each aligned for its type; an input left out is null.
struct KernelBuffers {
  std::span<const uint8_t* const> inputs;
  uint8_t* output_bytes = nullptr;
  uint8_t* scratch = nullptr;         ///< Kernel::scratch_size() bytes, aligned to 64
  std::span<uint8_t* const> outputs;  ///< all of them; `output_bytes` is the first
  ThreadPool* pool = nullptr;         ///< for ForRuns; null: one thread

  template <class T>
  const T* input(size_t position) const {
    return position < inputs.size() ? reinterpret_cast<const T*>(inputs[position]) : nullptr;
  }
  template <class T>
  T* output() const {
    return reinterpret_cast<T*>(output_bytes);
  }
};

/// A kernel prepared for one node: parameters, packed filters and the function to run.
class Kernel {
 public:
  Kernel(std::string name, size_t scratch_size) : name_(std::move(name)), scratch_size_(scratch_size) {}
  virtual ~Kernel() = default;
  virtual void Eval(const KernelBuffers& buffers) const = 0;
  const std::string& name() const { return name_; }
  size_t scratch_size() const { return scratch_size_; }
  /// Inputs that the first output may lie over, the best first: Eval reads each of their values before it
  /// writes there. Both have the same size.
  std::span<const size_t> in_place_inputs() const { return in_place_inputs_; }
  void AllowInPlace(size_t input) { in_place_inputs_.push_back(input); }
  /// True if Eval runs KernelContext::pool too, and writes what that does.
  bool runs_pool() const { return runs_pool_; }
  void RunPool() { runs_pool_ = true; }

 private:
  std::string name_;  // "conv_2d/portable"
  size_t scratch_size_;
  std::vector<size_t> in_place_inputs_;
  bool runs_pool_ = false;
};

/// A kernel made from a function object `void(const KernelBuffers&)` that contains what Prepare computed.
template <class Function>
std::unique_ptr<Kernel> MakeKernel(const KernelContext& context, std::string_view implementation,
                                   Function function, size_t scratch_size = 0) {
  struct FunctionKernel : Kernel {
    FunctionKernel(std::string name, size_t scratch, Function&& eval)
        : Kernel(std::move(name), scratch), eval_(std::move(eval)) {}
    void Eval(const KernelBuffers& buffers) const override { eval_(buffers); }
    Function eval_;
  };
  return std::make_unique<FunctionKernel>(StrCat(context.definition.name, "/", implementation), scratch_size,
                                          std::move(function));
}

/// For kernels that make value i of the output of values i of the inputs: it may lie over any input of its
/// size.
inline std::unique_ptr<Kernel> ElementByElement(const KernelContext& context,
                                                std::unique_ptr<Kernel> kernel) {
  const int64_t count = FlatSize(context.output.shape);
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    const KernelTensor& input = *context.inputs[i];
    if (FlatSize(input.shape) == count && SizeOf(input.type) == SizeOf(context.output.type))
      kernel->AllowInPlace(i);
  }
  return kernel;
}

/// What the runtime can do for one operator.
struct OpKernels {
  /// Errors: kCorrupt (types, scales or sizes that contradict each other), kUnsupported (types without a
  ///           kernel).
  Expected<std::unique_ptr<Kernel>> (*prepare)(const KernelContext& context);
  int32_t max_version;  ///< highest version of TFLite's operator whose meaning prepare knows
};

/// Null for what exists in training only.
const OpKernels* FindKernels(OpType type);

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_KERNEL_H_
