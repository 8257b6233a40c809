// model_builder.h: .tflite files straight from the generated FlatBuffers code, without lib/tflite: for
// tests that need a model of one operator, of others' habits, or with something wrong in it.
#ifndef QAT_TESTS_SUPPORT_MODEL_BUILDER_H_
#define QAT_TESTS_SUPPORT_MODEL_BUILDER_H_

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"
#include "ops/attributes.h"
#include "tflite_generated.h"

namespace qat::testing {

/// Quantization of a tensor; empty: none.
struct TensorQuantization {
  std::vector<float> scale;
  std::vector<int64_t> zero_point;
  int32_t dimension = 0;
};

inline TensorQuantization Quantized(float scale, int64_t zero_point) { return {{scale}, {zero_point}, 0}; }

/// Tensors and operators in the order they are added; tensor indices are what Add… return.
class ModelBuilder {
 public:
  uint32_t version = 3;            ///< of the schema
  bool own_empty_buffers = false;  ///< as TOCO: a buffer table without data for every activation
  std::map<std::string, std::vector<uint8_t>> metadata;
  std::vector<flatbuffers::Offset<tflite::SubGraph>> further_subgraphs = {};
  /// Functions besides "serving_default".
  struct Signature {
    std::string key;
    uint32_t subgraph;
    std::pair<std::string, uint32_t> input, output;
  };
  std::vector<Signature> signatures = {};
  /// names and tensors; empty: no signature of that name
  std::vector<std::pair<std::string, uint32_t>> signature_outputs = {};

  int32_t AddTensor(const std::string& name, const Shape& shape, DType type,
                    const TensorQuantization& quantization = {}) {
    return Add(name, shape, static_cast<tflite::TensorType>(type), quantization,
               own_empty_buffers ? AddBuffer(nullptr) : 0);
  }

  template <class T>
  int32_t AddConstant(const std::string& name, const Shape& shape, const std::vector<T>& values,
                      const TensorQuantization& quantization = {}) {
    std::vector<uint8_t> bytes(values.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return Add(name, shape, static_cast<tflite::TensorType>(DTypeOf<T>::value), quantization,
               AddBuffer(&bytes));
  }

  /// Values of 4 bits, two to a byte.
  int32_t AddInt4Constant(const std::string& name, const Shape& shape, const std::vector<int8_t>& values,
                          const TensorQuantization& quantization = {}) {
    std::vector<uint8_t> bytes((values.size() + 1) / 2);
    for (size_t i = 0; i < values.size(); ++i)
      bytes[i / 2] = static_cast<uint8_t>(bytes[i / 2] | (values[i] & 0xf) << (i % 2 == 0 ? 0 : 4));
    return Add(name, shape, tflite::TensorType_INT4, quantization, AddBuffer(&bytes));
  }

  void AddOperator(tflite::BuiltinOperator code, const std::vector<int32_t>& inputs,
                   const std::vector<int32_t>& outputs,
                   tflite::BuiltinOptions options_type = tflite::BuiltinOptions_NONE,
                   flatbuffers::Offset<void> options = 0, int32_t op_version = 1) {
    const auto narrow = static_cast<int8_t>(std::min<int32_t>(code, 127));
    codes_.push_back(tflite::CreateOperatorCode(fbb, narrow, 0, op_version, code));
    const auto index = static_cast<uint32_t>(codes_.size() - 1);
    const auto input_list = fbb.CreateVector(inputs);
    const auto output_list = fbb.CreateVector(outputs);
    operators_.push_back(tflite::CreateOperator(fbb, index, input_list, output_list, options_type, options));
  }

  void AddConv2D(int32_t input, int32_t filter, int32_t bias, int32_t output, const Conv2DAttributes& a) {
    const auto options = tflite::CreateConv2DOptions(
        fbb, static_cast<tflite::Padding>(a.padding), a.stride_w, a.stride_h, Fused(a.activation),
        a.dilation_w, a.dilation_h, static_cast<tflite::TensorType>(a.quantized_bias_type));
    AddOperator(tflite::BuiltinOperator_CONV_2D, {input, filter, bias}, {output},
                tflite::BuiltinOptions_Conv2DOptions, options.Union());
  }

  /// `bias` -1: left out.
  void AddFullyConnected(int32_t input, int32_t filter, int32_t bias, int32_t output, Activation activation,
                         bool keep_num_dims = false, DType bias_type = DType::kFloat32) {
    const auto options = tflite::CreateFullyConnectedOptions(
        fbb, Fused(activation), tflite::FullyConnectedOptionsWeightsFormat_DEFAULT, keep_num_dims, false,
        static_cast<tflite::TensorType>(bias_type));
    AddOperator(tflite::BuiltinOperator_FULLY_CONNECTED, {input, filter, bias}, {output},
                tflite::BuiltinOptions_FullyConnectedOptions, options.Union(), keep_num_dims ? 5 : 1);
  }

  /// `code` is MAX_POOL_2D or AVERAGE_POOL_2D.
  void AddPool2D(tflite::BuiltinOperator code, int32_t input, int32_t output, const Pool2DAttributes& a) {
    const auto options = tflite::CreatePool2DOptions(fbb, static_cast<tflite::Padding>(a.padding), a.stride_w,
                                                     a.stride_h, a.filter_w, a.filter_h, Fused(a.activation));
    AddOperator(code, {input}, {output}, tflite::BuiltinOptions_Pool2DOptions, options.Union());
  }

  void AddReshape(int32_t input, const std::vector<int32_t>& new_shape, int32_t output) {
    const int32_t shape = AddConstant<int32_t>("shape", {static_cast<int32_t>(new_shape.size())}, new_shape);
    const auto options = tflite::CreateReshapeOptions(fbb, fbb.CreateVector(new_shape));
    AddOperator(tflite::BuiltinOperator_RESHAPE, {input, shape}, {output},
                tflite::BuiltinOptions_ReshapeOptions, options.Union());
  }

  void AddSoftmax(int32_t input, int32_t output, float beta) {
    AddOperator(tflite::BuiltinOperator_SOFTMAX, {input}, {output}, tflite::BuiltinOptions_SoftmaxOptions,
                tflite::CreateSoftmaxOptions(fbb, beta).Union());
  }

  void AddArgMax(int32_t input, int32_t axis, int32_t output, DType output_type) {
    const int32_t axis_tensor = AddConstant<int32_t>("axis", {}, {axis});
    const auto options = tflite::CreateArgMaxOptions(fbb, static_cast<tflite::TensorType>(output_type));
    AddOperator(tflite::BuiltinOperator_ARG_MAX, {input, axis_tensor}, {output},
                tflite::BuiltinOptions_ArgMaxOptions, options.Union());
  }

  /// The file. The builder is used up.
  std::vector<uint8_t> Finish(const std::vector<int32_t>& inputs, const std::vector<int32_t>& outputs) {
    std::vector<flatbuffers::Offset<tflite::Metadata>> entries;
    for (const auto& [name, bytes] : metadata) {
      const uint32_t buffer = AddBuffer(&bytes);
      entries.push_back(tflite::CreateMetadata(fbb, fbb.CreateString(name), buffer));
    }
    const auto graph = tflite::CreateSubGraph(fbb, fbb.CreateVector(tensors_), fbb.CreateVector(inputs),
                                              fbb.CreateVector(outputs), fbb.CreateVector(operators_));
    std::vector<flatbuffers::Offset<tflite::SubGraph>> all = {graph};
    all.insert(all.end(), further_subgraphs.begin(), further_subgraphs.end());
    const auto graphs = fbb.CreateVector(all);
    const auto codes = fbb.CreateVector(codes_);
    if (buffers_.empty()) buffers_.push_back(tflite::CreateBuffer(fbb));
    const auto buffers = fbb.CreateVector(buffers_);
    const auto metadata_list = fbb.CreateVector(entries);
    fbb.Finish(tflite::CreateModel(fbb, version, codes, graphs, 0, buffers, 0, metadata_list, Signatures()),
               tflite::ModelIdentifier());
    return {fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize()};
  }

  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<tflite::SignatureDef>>> Signatures() {
    const auto map = [&](const std::pair<std::string, uint32_t>& named) {
      return tflite::CreateTensorMap(fbb, fbb.CreateString(named.first), named.second);
    };
    std::vector<flatbuffers::Offset<tflite::SignatureDef>> all;
    if (!signature_outputs.empty()) {
      std::vector<flatbuffers::Offset<tflite::TensorMap>> maps;
      for (const auto& output : signature_outputs) maps.push_back(map(output));
      all.push_back(
          tflite::CreateSignatureDef(fbb, 0, fbb.CreateVector(maps), fbb.CreateString("serving_default")));
    }
    for (const Signature& signature : signatures) {
      const auto input = map(signature.input), output = map(signature.output);
      const auto inputs = fbb.CreateVector(&input, 1), outputs = fbb.CreateVector(&output, 1);
      all.push_back(tflite::CreateSignatureDef(fbb, inputs, outputs, fbb.CreateString(signature.key),
                                               signature.subgraph));
    }
    if (all.empty()) return 0;
    return fbb.CreateVector(all);
  }

  /// For options and tensors that no method above makes.
  flatbuffers::FlatBufferBuilder fbb;

  /// A tensor with everything given. Buffer 0: no data; `signature` holds -1 where a size is open.
  int32_t Add(const std::string& name, const Shape& shape, tflite::TensorType type,
              const TensorQuantization& quantization, uint32_t buffer, const Shape& signature = {}) {
    flatbuffers::Offset<tflite::QuantizationParameters> parameters = 0;
    if (!quantization.scale.empty() || !quantization.zero_point.empty()) {
      const auto scale = fbb.CreateVector(quantization.scale);
      const auto zero_point = fbb.CreateVector(quantization.zero_point);
      parameters = tflite::CreateQuantizationParameters(
          fbb, 0, 0, scale, zero_point, tflite::QuantizationDetails_NONE, 0, quantization.dimension);
    }
    return AddQuantized(name, shape, type, parameters, buffer, signature);
  }

  /// The same with a table of quantization parameters made by hand.
  int32_t AddQuantized(const std::string& name, const Shape& shape, tflite::TensorType type,
                       flatbuffers::Offset<tflite::QuantizationParameters> parameters, uint32_t buffer = 0,
                       const Shape& signature = {}) {
    const auto sizes = fbb.CreateVector(shape);
    const auto text = fbb.CreateString(name);
    flatbuffers::Offset<flatbuffers::Vector<int32_t>> open_sizes = 0;
    if (!signature.empty()) open_sizes = fbb.CreateVector(signature);
    tensors_.push_back(
        tflite::CreateTensor(fbb, sizes, type, buffer, text, parameters, false, 0, open_sizes));
    return static_cast<int32_t>(tensors_.size() - 1);
  }

  /// A constant that is stored without its zeros.
  int32_t AddSparse(const std::string& name, const Shape& shape, tflite::TensorType type, uint32_t buffer,
                    flatbuffers::Offset<tflite::SparsityParameters> sparsity) {
    const auto sizes = fbb.CreateVector(shape);
    const auto text = fbb.CreateString(name);
    tensors_.push_back(tflite::CreateTensor(fbb, sizes, type, buffer, text, 0, false, sparsity));
    return static_cast<int32_t>(tensors_.size() - 1);
  }

  /// Data behind the FlatBuffer, as files beyond 2 GiB have them.
  uint32_t AddBufferOutside(uint64_t offset, uint64_t size) {
    if (buffers_.empty()) buffers_.push_back(tflite::CreateBuffer(fbb));
    buffers_.push_back(tflite::CreateBuffer(fbb, 0, offset, size));
    return static_cast<uint32_t>(buffers_.size() - 1);
  }

  /// Null: a buffer table without data.
  uint32_t AddBuffer(const std::vector<uint8_t>* bytes) {
    if (buffers_.empty()) buffers_.push_back(tflite::CreateBuffer(fbb));
    flatbuffers::Offset<flatbuffers::Vector<uint8_t>> data = 0;
    if (bytes != nullptr) {
      fbb.ForceVectorAlignment(bytes->size(), 1, 16);
      data = fbb.CreateVector(*bytes);
    }
    buffers_.push_back(tflite::CreateBuffer(fbb, data));
    return static_cast<uint32_t>(buffers_.size() - 1);
  }

 private:
  static tflite::ActivationFunctionType Fused(Activation activation) {
    return static_cast<tflite::ActivationFunctionType>(activation);
  }

  std::vector<flatbuffers::Offset<tflite::OperatorCode>> codes_;
  std::vector<flatbuffers::Offset<tflite::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<tflite::Operator>> operators_;
  std::vector<flatbuffers::Offset<tflite::Buffer>> buffers_;
};

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_MODEL_BUILDER_H_
