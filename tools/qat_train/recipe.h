// recipe.h: the recipe that a run follows: preset, --config, flags, and what a resumed run has.
#ifndef QAT_TOOLS_QAT_TRAIN_RECIPE_H_
#define QAT_TOOLS_QAT_TRAIN_RECIPE_H_

#include <set>
#include <string>

#include "base/expected.h"
#include "cli/tool.h"
#include "flags.h"
#include "spec/auto_recipe.h"
#include "spec/train_config.h"

namespace qat {

/// A recipe as it was asked for.
struct Asked {
  TrainConfig config;
  std::set<std::string> given;  // keys that --config or a flag decided
  bool automatic() const { return config.preset == kAutoPreset; }
};

/// Preset, --config and flags, in this order. Errors: kInvalidArgument, and those of reading the file.
Expected<Asked> RecipeFromFlags(Tool& tool, const TrainFlags& flags);

/// Whether this is a resumed run. Errors: kInvalidArgument for what would overwrite a run, kNotFound where
/// there is nothing to resume.
Expected<bool> DecideResume(const TrainFlags& flags);

/// The recipe of the run that is resumed. Errors: kInvalidArgument where the flags ask for another one.
Expected<TrainConfig> ConfigOfResumedRun(Tool& tool, const TrainFlags& flags);

/// Refuses flags that the rest of the recipe leaves without effect. Errors: kInvalidArgument.
Status RefuseIdleFlags(Tool& tool, const TrainConfig& config);

/// Prints it without opening data that nobody named: what is known, and what the data will decide.
Status PrintRecipe(Tool& tool, const Asked& asked);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_TRAIN_RECIPE_H_
