#include "train/run_contract.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "data/statistics.h"

namespace qat {
namespace {

// One number for each channel.
Expected<std::vector<float>> PerChannel(std::string_view key, const std::vector<double>& numbers,
                                        int32_t channels) {
  if (numbers.size() == 1)
    return std::vector<float>(static_cast<size_t>(channels), static_cast<float>(numbers[0]));
  if (numbers.size() == static_cast<size_t>(channels))
    return std::vector<float>(numbers.begin(), numbers.end());
  return InvalidArgument(StrCat(key, " has ", numbers.size(), " numbers, expected 1, or one for each of the ",
                                channels, " channels"));
}

// A channel of one value, as alpha often is, has a deviation of 0.
Status CheckNoneIsConstant(const ChannelStatistics& measured, const std::string& data) {
  const auto constant = std::find(measured.std.begin(), measured.std.end(), 0.0);
  if (constant == measured.std.end()) return {};
  const auto channel = static_cast<size_t>(constant - measured.std.begin());
  return InvalidArgument(StrCat("channel ", channel, " of the images of ", data, " is ", measured.mean[channel],
                                " everywhere, so std \"dataset\" is 0 for it; leave the channel out, or give std as "
                                "numbers"));
}

}  // namespace

Expected<InputContract> MakeContract(const TrainConfig& config, const Dataset& train) {
  ChannelStatistics statistics = {config.mean.values, config.std.values};
  if (statistics.mean.empty() || statistics.std.empty()) {
    QAT_ASSIGN_OR_RETURN(const ChannelStatistics measured, MeasureChannels(train));
    if (statistics.mean.empty()) statistics.mean = measured.mean;
    if (statistics.std.empty()) {
      QAT_RETURN_IF_ERROR(CheckNoneIsConstant(measured, train.name));
      statistics.std = measured.std;
    }
  }
  InputContract contract{train.height, train.width, train.channels, {}, {}, train.class_names};
  QAT_ASSIGN_OR_RETURN(contract.mean, PerChannel("mean", statistics.mean, train.channels));
  QAT_ASSIGN_OR_RETURN(contract.std, PerChannel("std", statistics.std, train.channels));
  QAT_RETURN_IF_ERROR_IN(train.name, Validate(contract));
  return contract;
}

}  // namespace qat
