// per_channel.h: one number for all channels, or one for each. For .cc files of lib/import only.
#ifndef QAT_IMPORT_PER_CHANNEL_H_
#define QAT_IMPORT_PER_CHANNEL_H_

#include <map>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/strings.h"
#include "contract/contract.h"
#include "quant/params.h"

namespace qat {

/// The numbers for each of `channels`: those given, or one for all. Errors: kInvalidArgument, `what` named.
inline Expected<std::vector<float>> PerChannel(const char* what, std::vector<float> values,
                                               int32_t channels) {
  const auto count = static_cast<size_t>(channels);
  if (values.size() == 1) values.resize(count, values[0]);
  if (values.size() == count) return values;
  return InvalidArgument(
      StrCat("`", what, "`: has ", values.size(), " numbers, the input has ", channels, " channels"));
}

/// A model of one input that normalizes by itself takes nothing from a caller. Errors: kInvalidArgument.
Status ExpectNotNormalized(const InputContract& input);

/// What a caller says of several inputs: the same for all, or for each by its name; those it says nothing of
/// stay as they are.
/// Errors: kInvalidArgument (names that no input has, other numbers of channels).
Status TakeNormalizations(const std::vector<float>& mean, const std::vector<float>& std,
                          const std::map<std::string, std::vector<float>>& mean_of,
                          const std::map<std::string, std::vector<float>>& std_of, Contract& contract);

/// Mean and std of the bytes of a picture whose 0 to 255 stand for `range`, as integers of the source do.
/// Requires  ends that differ.
void TakeMeaningOfBytes(Range range, InputContract& input);

/// For a person.
std::string DescribeInputs(const Contract& contract);

}  // namespace qat

#endif  // QAT_IMPORT_PER_CHANNEL_H_
