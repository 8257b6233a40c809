// SpaceToDepth: every block of pixels becomes the channels of one pixel. DepthToSpace: the other way round.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = BlockAttributes;

Error DoesNotFit(const Shape& input, int32_t block) {
  return InvalidArgument(StrCat("input ", ToString(input), " does not divide into blocks of ", block));
}

// Sizes that were saturated do not pass.
Expected<Shape> SameSize(const Shape& input, Shape output, int32_t block) {
  if (FlatSize(input) != FlatSize(output)) return DoesNotFit(input, block);
  return output;
}

Expected<Shape> InferSpaceToDepth(const OpAttributes& attributes, std::span<const Operand> inputs) {
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[0], 4, "input"));
  const Shape& input = inputs[0].shape;
  const int32_t block = std::get<A>(attributes).size;
  if (block < 1 || input[1] % block != 0 || input[2] % block != 0) return DoesNotFit(input, block);
  return SameSize(input,
                  {input[0], input[1] / block, input[2] / block, SaturatedProduct({input[3], block, block})},
                  block);
}

Expected<Shape> InferDepthToSpace(const OpAttributes& attributes, std::span<const Operand> inputs) {
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[0], 4, "input"));
  const Shape& input = inputs[0].shape;
  const int32_t block = std::get<A>(attributes).size;
  if (block < 1 || input[3] % SaturatedProduct({block, block}) != 0) return DoesNotFit(input, block);
  return SameSize(input,
                  {input[0], SaturatedProduct({input[1], block}), SaturatedProduct({input[2], block}),
                   input[3] / block / block},
                  block);
}

constexpr AttributeKey kKeys[] = {{"block", keys::kPositive, "2", keys::Member<&A::size, keys::ToPositive>}};

// Version 2 brought int8, which the reference kernels run under version 1 only.
constexpr std::string_view kSpaceToDepthReleases[] = {"1.14.0"};
constexpr std::string_view kDepthToSpaceReleases[] = {"2.5.0"};

template <class Options, auto kCreate>
void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptionsTraits<Options>::enum_value;
  writer.table = kCreate(writer.builder, std::get<A>(attributes).size).Union();
}

template <class Options>
Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<Options>();
  return OpAttributes(A{table == nullptr ? 0 : table->block_size()});
}

}  // namespace

const OpDefinition& SpaceToDepthDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Written(
        RunOp(OpType::kSpaceToDepth, "space_to_depth", "SPACE_TO_DEPTH",
              tflite::BuiltinOperator_SPACE_TO_DEPTH, 1, "blocks of pixels as channels", InferSpaceToDepth),
        {FirstVersion, kSpaceToDepthReleases,
         WriteOptions<tflite::SpaceToDepthOptions, tflite::CreateSpaceToDepthOptions>},
        IntegerKernels::kBoth);
    op.keys = kKeys;
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.default_attributes = A{2};
    op.read_options = ReadOptions<tflite::SpaceToDepthOptions>;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& DepthToSpaceDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Written(
        RunOp(OpType::kDepthToSpace, "depth_to_space", "DEPTH_TO_SPACE",
              tflite::BuiltinOperator_DEPTH_TO_SPACE, 1, "channels as blocks of pixels", InferDepthToSpace),
        {FirstVersion, kDepthToSpaceReleases,
         WriteOptions<tflite::DepthToSpaceOptions, tflite::CreateDepthToSpaceOptions>},
        IntegerKernels::kBoth);
    op.keys = kKeys;
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.default_attributes = A{2};
    op.read_options = ReadOptions<tflite::DepthToSpaceOptions>;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
