// record.h: what a conversion was asked for, in the provenance of the model, so that a trace can make it
// again byte for byte.
#ifndef QAT_CONVERT_RECORD_H_
#define QAT_CONVERT_RECORD_H_

#include <map>
#include <string>

#include "base/expected.h"
#include "convert/conversion.h"

namespace qat {

/// Writes a line for all that is not as the network has it by itself, and takes off what an earlier
/// conversion wrote. Ranges from data, repairs and plans are noted by the passes that make use of them.
/// Errors: those of reading the data once more.
Status Record(Conversion& conversion);

/// What was recorded. The plan and the data are left to the caller, who has to find them.
struct RecordedConversion {
  ModelType type;
  QuantizationOptions options;
  ConversionRequest request;
  ObserverChoice observers;
  Repairs repairs;
  bool twins = false;
};

/// `provenance`: as ParseProvenance reads it. `scheme`: of the network, for a model that names no type.
/// Errors: kUnsupported, for a value that this version does not know.
Expected<RecordedConversion> ReadRecord(const std::map<std::string, std::string>& provenance,
                                        const std::string& scheme);

}  // namespace qat

#endif  // QAT_CONVERT_RECORD_H_
