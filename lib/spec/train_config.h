// train_config.h: everything that decides the result of a training run, as one struct, TOML in and out.
// A run directory keeps it as config.toml, which `qat-train --config` takes back verbatim.
#ifndef QAT_SPEC_TRAIN_CONFIG_H_
#define QAT_SPEC_TRAIN_CONFIG_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"

namespace qat {

/// A number for every channel: one for all, one per channel, or what the training set has.
struct ChannelNumbers {
  std::vector<double> values;                          ///< empty: of the training set
  std::map<std::string, std::vector<double>> of = {};  ///< the same for single inputs of several, by name

  /// Of an input: its own, or those for all.
  const std::vector<double>& Of(const std::string& input) const {
    const auto found = of.find(input);
    return found == of.end() ? values : found->second;
  }
  bool operator==(const ChannelNumbers&) const = default;
};

/// "auto" in TOML and on the command line: data/holdout.h decides.
inline constexpr int64_t kAutomaticHoldout = -1;

/// What the loss of each class weighs.
struct ClassWeights {
  bool balanced = false;       ///< by the training examples: the rarer, the more
  std::vector<double> values;  ///< one per class, of several labels one per label; empty: 1
  bool operator==(const ClassWeights&) const = default;
};

/// "auto" in TOML and on the command line: 255 where it can be no class.
inline constexpr int64_t kAutomaticIgnoreLabel = -1;

/// TrainConfig::filter_ranges and activation_ranges of learned steps.
inline constexpr std::string_view kLearnedRanges = "learned";

struct TrainConfig {
  std::string preset;             ///< name of the recipe it started from; informational
  std::string network = "lenet";  ///< zoo name or spec file
  double width = 0;               ///< of the network's filters; 0, here and in the next two: as its spec says
  int32_t resolution = 0;         ///< height and width of its input
  int32_t classes = 0;            ///< 0: those of the data too
  std::string data = "digits";    ///< "digits" or a path
  /// What the output means, a name of contract/task.h; "auto": by the labels and the network. Of several
  /// "class=classes,box=numbers".
  std::string task = "auto";
  int64_t ignore_label = kAutomaticIgnoreLabel;  ///< label of pixels that are neither learned nor counted
  std::string layout = "auto";  ///< of the axes of arrays: "pictures", "series" or "features"
  std::string fit = "crop";     ///< how pictures of another size come to fit: "crop", "pad" or "stretch"
  /// column of a table that holds the answers; empty: the one with a usual name
  std::string label;
  std::string leave_out;  ///< columns of a table that are neither features nor answers, with commas between
  int64_t data_cache = 1024;    ///< MiB that decoded pictures may take; more are decoded again in every epoch
  ChannelNumbers mean = {{0}};  ///< of the input contract, in units of the data: real = (value - mean) / std
  ChannelNumbers std = {{255}};
  std::string scheme = "uint8";  ///< "uint8", "int8", "int8-per-tensor", "w4a8" or "float32"
  int64_t steps = 0;             ///< total; 0: from epochs
  double epochs = 0;             ///< used where steps is 0
  /// seconds that training may take; 0: any. Fewer steps are taken where that needs fewer
  int64_t budget = 0;
  int64_t patience = 0;  ///< evaluations without a better one after which a run ends; 0: it never does
  int32_t batch_size = 64;
  std::string optimizer = "adam";  ///< "adam" (decoupled weight decay) or "sgd"
  double momentum = 0.9;           ///< of sgd
  bool nesterov = false;           ///< of sgd
  double learning_rate = 2e-3;
  /// "constant", "cosine", "step" or "one-cycle": LearningRate
  std::string schedule = "cosine";
  std::vector<double> milestones = {0.5, 0.75};  ///< of "step": parts of all steps, rising, in (0, 1)
  /// of "step": what the rate is multiplied by at each of them
  double milestone_factor = 0.1;
  int64_t warmup_steps = 0;    ///< linear from 0
  double warmup_fraction = 0;  ///< used where warmup_steps is 0: that part of all steps
  double weight_decay = 0;
  /// the norm that the gradients of a step are scaled down to where theirs is larger; 0: never
  double clip_norm = 0;
  double label_smoothing = 0;  ///< in [0, 1)
  /// a run or a checkpoint, of a network that this one learns from beside the labels; empty: none
  std::string teacher;
  double teacher_weight = 0.9;     ///< part of the loss that is the divergence from it
  double teacher_temperature = 4;  ///< that the logits of both are divided by there
  std::string freeze_layers;       ///< a regular expression: layers that stay as they are; empty: none
  ClassWeights class_weights;
  /// of the loss of each output of several, by name; not named: 1
  std::map<std::string, double> output_weights;
  bool scale_to_targets = true;  ///< real numbers: normalized in training, and restored after the model
  int32_t shift_pixels = 0;   ///< augmentation: shift by up to so many, zeros coming in: a padded random crop
  bool flip = false;          ///< augmentation: every other image is mirrored, left to right
  int32_t cutout = 0;         ///< augmentation: a square of so many pixels, anywhere, becomes 0
  double rotate_degrees = 0;  ///< augmentation: rotate by up to so many degrees
  double scale_percent = 0;   ///< augmentation: zoom by up to so many percent
  /// augmentation of series: shift in time by up to so many steps, the value at the edge coming in
  int32_t shift_steps = 0;
  /// augmentation of real numbers: multiply by 1 plus or minus up to so many percent
  double gain_percent = 0;
  /// augmentation of real numbers: add noise of so many deviations of its channel
  double noise = 0;
  /// alpha of Beta(alpha, alpha), by which examples and their losses are mixed in pairs; 0: they are not
  double mixup = 0;
  int64_t quant_delay = 0;  ///< steps before fake quantization starts; ranges are observed from step 0
  double quant_delay_fraction = 0;  ///< used where quant_delay is 0: that part of all steps
  int64_t bn_freeze = 0;  ///< steps before batch norms use their moving averages; scheme float32: never
  double bn_freeze_fraction = 0.8;  ///< used where bn_freeze is 0: that part of all steps
  /// of a layer whose batch norm learns, with fake quantization: 1; 2: as TensorFlow; 0: as the scheme says
  int32_t bn_convolutions = 0;
  /// "observed" or "learned": ends of the ranges of filters are those of their values, or parameters
  std::string filter_ranges = "observed";
  /// the same of the ranges of activations: averages of what is observed, or parameters
  std::string activation_ranges = "observed";
  double ema_decay = 0.999;           ///< of the activation ranges, zero-debiased
  double freeze_ranges_fraction = 1;  ///< ranges stop moving after that part of all steps
  double weight_average_decay = 0;    ///< 0: off; else the deployed weights are this moving average
  /// training examples kept to choose the best checkpoint on; 0: the test set
  int64_t holdout = kAutomaticHoldout;
  int64_t log_every = 100;         ///< training loss and accuracy
  int64_t eval_every = 0;          ///< 0: once per epoch. On the holdout; without one on the test set
  double eval_every_fraction = 0;  ///< used where eval_every is 0, unless 0 itself: that part of all steps
  int64_t checkpoint_every = 0;    ///< 0: as eval_every
  double checkpoint_every_fraction = 0;  ///< used where checkpoint_every is 0, unless 0 itself
  uint64_t seed = 1;
  int32_t threads = 0;  ///< 0: all cores; part of the recipe, since it decides the order of sums

  bool operator==(const TrainConfig&) const = default;
};

/// Reads keys of a TOML text over `base`; adds their names to `given`, if there is one. Errors:
/// kInvalidArgument with source:line:column, the key, the value and what was expected; unknown keys with the
/// nearest known one.
Expected<TrainConfig> ParseTrainConfig(std::string_view text, const std::string& source, TrainConfig base,
                                       std::set<std::string>* given = nullptr);

/// Sets one key from a flag's text: "batch-size" or "batch_size", "8". Those that stand for one another give
/// way: steps clears epochs, quant_delay clears quant_delay_fraction, and the other way round.
/// Errors: kInvalidArgument, "value 'x', expected a whole number from 0". Requires a known key.
Status SetKey(TrainConfig& config, std::string_view key, const std::string& text);

/// The key that says the same in another way: epochs of steps, quant_delay of quant_delay_fraction. Empty:
/// there is none.
std::string_view AlternativeOf(std::string_view key);

/// "10m", "90s", "2h"; of 0 "none".
std::string BudgetText(int64_t seconds);

/// Names of all keys, in the order above.
std::vector<std::string> TrainConfigKeys();

/// TOML with every key, in the order above.
std::string ToToml(const TrainConfig& config);

/// The same without blank lines and without the keys that say where things lie and how many threads compute:
/// what a run is, wherever it runs. Checkpoints keep this text.
std::string PortableToml(const TrainConfig& config);

/// Checks what single keys cannot show (delay after the last step, …). Errors: kInvalidArgument.
Status Validate(const TrainConfig& config);

/// Built-in recipes (lib/spec/presets/*.toml), and first of all "auto": neither network nor length is
/// decided, which auto_recipe.h does once the data are known. Errors: kInvalidArgument with the list and the
/// nearest name.
std::vector<std::string> PresetNames();
Expected<TrainConfig> LoadPreset(std::string_view name);

}  // namespace qat

#endif  // QAT_SPEC_TRAIN_CONFIG_H_
