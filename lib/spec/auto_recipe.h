// auto_recipe.h: the recipe for a training set if none was named, and its explanation.
#ifndef QAT_SPEC_AUTO_RECIPE_H_
#define QAT_SPEC_AUTO_RECIPE_H_

#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "spec/data_facts.h"
#include "spec/train_config.h"

namespace qat {

/// The name that a run's config.toml has under `preset` where its recipe was derived.
inline constexpr char kAutoPreset[] = "auto";

/// What a recipe asks about a network.
struct NetworkFacts {
  int64_t parameters = 0;
  int64_t multiply_accumulates = 0;  ///< of one example, forward
  bool batch_norm = false;
  bool trained = false;  ///< it starts from the parameters of another run (fine-tuning)
};
NetworkFacts FactsOf(const Graph& network);

struct AutoRecipe {
  TrainConfig config;  ///< every key decided
  /// for people: data; length and optimizer; quantization, evaluations, random changes
  std::vector<std::string> lines;
};

/// Fills in every key of `config` that is not among `given` (keys of config.toml; one that stands for
/// another, as epochs for steps, counts for both). What is given is taken as it is, and what depends on it
/// follows: a number of steps scales warm-up, delay and intervals. Scheme, seed and holdout are no concern of
/// data and stay. A pure function: same arguments, same recipe; a float run differs from its quantized one in
/// the scheme alone. `cores`: what `threads` becomes.
///
/// Promises  batch_size <= examples;  warm-up < delay < steps where there are 3 steps or more;  at least ten
/// evaluations
///           where there are ten steps;  std > 0;  no random changes.
AutoRecipe DeriveRecipe(const TrainConfig& config, const std::set<std::string>& given, const DataFacts& data,
                        const NetworkFacts& network, int32_t cores);

}  // namespace qat

#endif  // QAT_SPEC_AUTO_RECIPE_H_
