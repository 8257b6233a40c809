// picture_run.h: classifies a user's own pictures, arrays and rows of tables: qat-eval classify.
#ifndef QAT_EVAL_PICTURE_RUN_H_
#define QAT_EVAL_PICTURE_RUN_H_

#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "eval/rows.h"
#include "model/model.h"
#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

struct PictureRunRequest {
  /// JPEG, PNG or BMP, an array of examples (.npy, .npz), a table (.csv, .tsv)
  std::vector<std::string> files;
  int32_t topk = 5;  ///< classes named for each
};

/// Decodes each file, fits it to the model's input (cover, then the centre), applies the input contract and
/// fills `report`: models, pictures with classes or, of a network of real numbers, with these, warnings. Of
/// tables, and of arrays without a test split, every example is taken. `rows` must hold one model or one
/// graph. Files that cannot be read are left out and named all at once, when the others are done.
/// Errors: kInvalidArgument, those of the readers, of ContractOf, of DecodeImage; kInterrupted.
Status RunPictures(const PictureRunRequest& request, const RowRequest& rows, const WorkHooks& hooks,
                   Report& report);

/// The best `k` classes of one image, the better one first, of equals the lower. Probability: the scores,
/// else their softmax; none where the model gives an index only. Names from the labels as far as they go.
std::vector<Guess> BestGuesses(const Predictions& predictions, bool are_probabilities, Task task, int32_t k,
                               std::span<const std::string> labels);

}  // namespace qat

#endif  // QAT_EVAL_PICTURE_RUN_H_
