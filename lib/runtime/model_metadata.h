// model_metadata.h: what a .tflite file says besides its operators: input contract, description, provenance and class names.
#ifndef QAT_RUNTIME_MODEL_METADATA_H_
#define QAT_RUNTIME_MODEL_METADATA_H_

#include "base/expected.h"
#include "runtime/file_buffers.h"
#include "runtime/model_reader.h"

namespace qat {

/// Fills contract, description, labels, provenance and made_by of `contents`. Errors: kCorrupt.
Status ReadMetadata(FileBuffers& buffers, ModelContents& contents);

}  // namespace qat

#endif  // QAT_RUNTIME_MODEL_METADATA_H_
