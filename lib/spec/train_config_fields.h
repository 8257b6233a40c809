// train_config_fields.h: the one list of a recipe's keys: how each is read, checked and written. For
// train_config.cc alone.
#ifndef QAT_SPEC_TRAIN_CONFIG_FIELDS_H_
#define QAT_SPEC_TRAIN_CONFIG_FIELDS_H_

#include <functional>
#include <string>
#include <vector>

#include "ops/keys.h"
#include "spec/train_config.h"

namespace qat {

struct TrainConfigField {
  std::string name;
  std::string expected;
  std::function<bool(TrainConfig&, const AttributeValue&)> set;  ///< false: not what is expected
  std::function<std::string(const TrainConfig&)> text;           ///< as TOML has it
  bool takes_list = false;                ///< of numbers, which `set` gets as the text that a flag has
  std::vector<std::string> choices = {};  ///< of texts of which only these are taken
};

/// In the order of config.toml.
const std::vector<TrainConfigField>& TrainConfigFields();

}  // namespace qat

#endif  // QAT_SPEC_TRAIN_CONFIG_FIELDS_H_
