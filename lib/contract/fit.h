// fit.h: names of the ways in which a picture of another size comes to fit.
#ifndef QAT_CONTRACT_FIT_H_
#define QAT_CONTRACT_FIT_H_

#include <optional>
#include <string_view>

#include "contract/input_contract.h"

namespace qat {

/// "crop", "pad", "stretch".
std::string_view NameOf(Fit fit);
std::optional<Fit> FitFromName(std::string_view name);

}  // namespace qat

#endif  // QAT_CONTRACT_FIT_H_
