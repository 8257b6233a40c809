// model_metadata.h: what a .tflite file says besides its operators: input contract, description, provenance
// and class names.
#ifndef QAT_MODEL_MODEL_METADATA_H_
#define QAT_MODEL_MODEL_METADATA_H_

#include "base/expected.h"
#include "model/file_buffers.h"
#include "model/model_reader.h"

namespace qat {

/// Fills contract, description, labels, provenance, made_by, metadata and further subgraphs of `contents`.
/// Errors: kCorrupt.
Status ReadMetadata(FileBuffers& buffers, ModelContents& contents);

}  // namespace qat

#endif  // QAT_MODEL_MODEL_METADATA_H_
