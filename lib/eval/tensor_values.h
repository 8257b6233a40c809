// tensor_values.h: numbers of a file as the values of a model's input, where the types differ.
#ifndef QAT_EVAL_TENSOR_VALUES_H_
#define QAT_EVAL_TENSOR_VALUES_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "data/npy.h"
#include "model/model.h"

namespace qat {

/// An array for input `position` of a model. Numbers of other types become float32 for an input of that type;
/// floats become integers for a quantized one by its scale and zero point, after the normalization of the
/// model's contract, if it has one for real numbers. Each conversion adds a sentence to `notes`. An array of
/// the input's type, and one that nothing converts, is returned as it is; a sentence says where bytes of
/// pictures would go in otherwise. Errors: kCorrupt, for values that are not finite, unless the model
/// computes real numbers alone and takes them as they are.
Expected<NpyArray> ForInput(NpyArray array, const std::string& path, const Model& model, size_t position,
                            std::vector<std::string>& notes);

/// A picture file (JPEG, PNG, BMP) as input `position` takes it: fitted, normalized and quantized by the
/// contract of the model. Adds a sentence to `notes`. Errors: those of ContractOf and of the decoders;
/// kUnsupported (an input that takes no pictures).
Expected<NpyArray> PictureForInput(const std::string& path, const Model& model, size_t position,
                                   std::vector<std::string>& notes);

/// The rows of a table for input `position`, [rows, …] with the sizes of that: the columns that the model's
/// contract names, else all that hold no answers. What was understood about the columns goes to `notes`.
/// Errors: those of ReadCsv; kCorrupt, another number of columns.
Expected<NpyArray> RowsForInput(const std::string& path, const Model& model, size_t position,
                                std::vector<std::string>& notes);

/// Whether a file is a picture, by its first bytes.
bool IsPictureFile(const std::string& path);

}  // namespace qat

#endif  // QAT_EVAL_TENSOR_VALUES_H_
