// tflite_options.h: the border between attributes and TFLite's option tables. For .cc files under lib only.
#ifndef QAT_OPS_TFLITE_OPTIONS_H_
#define QAT_OPS_TFLITE_OPTIONS_H_

#include <flatbuffers/flatbuffers.h>

#include "ops/op.h"
#include "tflite_generated.h"

namespace qat {

/// write_options fills type and table; an operator without options leaves them alone.
struct OptionsWriter {
  flatbuffers::FlatBufferBuilder& builder;
  int32_t inputs = 0;  ///< of the node: pack's options repeat it
  tflite::BuiltinOptions type = tflite::BuiltinOptions_NONE;
  flatbuffers::Offset<void> table = 0;
};

/// A union value of a verified buffer: an operator of a .tflite or a node of a .qgraph.
struct OptionsReader {
  tflite::BuiltinOptions type = tflite::BuiltinOptions_NONE;
  const void* table = nullptr;

  /// The table as T; null where the file holds another one or none: then every field has its default.
  template <class T>
  const T* As() const {
    return type == tflite::BuiltinOptionsTraits<T>::enum_value ? static_cast<const T*>(table) : nullptr;
  }
};

/// For operators without options, or whose options say nothing; their write_options is null.
Expected<OpAttributes> ReadNoOptions(const OptionsReader& reader);

/// The usual OpDefinition::version: 2 brought int8.
int32_t VersionTwoForInt8(const VersionQuery& query);

/// Enumerators that a file may hold and the project knows. Errors: kUnsupported ("fused activation is 4, …").
Expected<Padding> ToPadding(tflite::Padding padding);
Expected<Activation> ToActivation(tflite::ActivationFunctionType activation);

}  // namespace qat

#endif  // QAT_OPS_TFLITE_OPTIONS_H_
