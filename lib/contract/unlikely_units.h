// unlikely_units.h: means and deviations of bytes that look like those of values from 0 to 1.
#ifndef QAT_CONTRACT_UNLIKELY_UNITS_H_
#define QAT_CONTRACT_UNLIKELY_UNITS_H_

#include <span>
#include <string>

#include "contract/contract.h"

namespace qat {

/// Tutorials give ImageNet's mean and std as 0.485 and 0.229, of values from 0 to 1, but
/// real = (byte - mean) / std needs them times 255. Where every std is below 1, a sentence with the likely
/// numbers; else empty.
std::string UnlikelyUnits(std::span<const float> mean, std::span<const float> std);

/// Of the inputs of a contract that take bytes, the first that has such numbers.
std::string UnlikelyUnits(const Contract& contract);

}  // namespace qat

#endif  // QAT_CONTRACT_UNLIKELY_UNITS_H_
