// cut_off.h: real numbers of the data that the integers of a model's input do not reach.
#ifndef QAT_EVAL_CUT_OFF_H_
#define QAT_EVAL_CUT_OFF_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "contract/contract.h"
#include "data/dataset.h"
#include "model/model.h"

namespace qat {

/// Share of values beyond the range of an input that is told: the ends of a range are those of training data,
/// and of others of the same kind a few lie beyond.
inline constexpr double kMuchCutOff = 0.01;

/// A sentence for each input of reals of which more than kMuchCutOff lie beyond what the model can represent,
/// of up to 1,000 examples evenly spaced, `name` in front. An input that stays real in the model, or that the
/// model changes in a way that the contract does not say, has none. Requires  data that fit the contract.
/// Errors: those of the data set.
Expected<std::vector<std::string>> DescribeCutOff(const Model& model, const std::string& name,
                                                  const Contract& contract, const Dataset& dataset);

}  // namespace qat

#endif  // QAT_EVAL_CUT_OFF_H_
