// provenance.h: what a model was made from, as the text of a metadata entry that is small enough to travel
// with it.
#ifndef QAT_CONTRACT_PROVENANCE_H_
#define QAT_CONTRACT_PROVENANCE_H_

#include <map>
#include <string>
#include <string_view>

namespace qat {

/// Name of the metadata entry in a .tflite.
inline constexpr char kProvenanceMetadataName[] = "qat.provenance";

/// The key that says what a network was trained for, a name of task.h; absent: written before it was
/// recorded.
inline constexpr char kTaskKey[] = "task";

/// The training data, as Fingerprint has them; absent: the network was not trained here.
inline constexpr char kTrainingDataKey[] = "data_sha256";

/// Of a network that is to be trained: the text that a front end read, for people and for front ends.
inline constexpr char kSourceTextKey[] = "source_text";
/// The text's own key `classes`; absent: it has none.
inline constexpr char kSourceClassesKey[] = "source_classes";

/// A model that was made with another one of the same network, every byte 128 apart: kTwinTypes; absent:
/// without one.
inline constexpr char kTwinsKey[] = "twins";
inline constexpr char kTwinTypes[] = "uint8,int8";

/// What a conversion was asked for, each as the flag of its name takes it; absent: as the network has it by
/// itself (convert/record.h).
inline constexpr char kTypeKey[] = "type";
inline constexpr char kAppendKey[] = "append";
inline constexpr char kArgMaxTypeKey[] = "argmax_type";
inline constexpr char kKeepFloatKey[] = "keep_float";
inline constexpr char kInt16Key[] = "int16";
inline constexpr char kFullyConnectedScalesKey[] = "fully_connected_scales";
inline constexpr char kInputTypeKey[] = "input_type";
inline constexpr char kOutputTypeKey[] = "output_type";
inline constexpr char kInputLayoutKey[] = "input_layout";
inline constexpr char kSkippedPassesKey[] = "skipped_passes";  ///< separated by commas
/// scale and zero point of uint8 instead of the contract's, "0.5,128"
inline constexpr char kInputParamsKey[] = "input_params";
inline constexpr char kDefaultRangeKey[] = "default_range";  ///< of activations that have none, "0,6"

/// How ranges were found in images where not all are the least and the largest value: "mse",
/// "minmax,conv1=kl".
inline constexpr char kObserversKey[] = "observers";

/// What was changed without training, in this order: "equalize,adaround,bias", or some of them; absent:
/// nothing. Layers that a plan names are equalized by "equalize-plan".
inline constexpr char kRepairsKey[] = "repairs";
inline constexpr char kEqualizePlanRepair[] = "equalize-plan";
inline constexpr char kEqualizeRepair[] = "equalize";
inline constexpr char kAdaRoundRepair[] = "adaround";
inline constexpr char kBiasRepair[] = "bias";

/// The plan (TOML) that a model was made by.
inline constexpr char kPlanKey[] = "plan_sha256";

/// The data that ranges of activations were found in, as Fingerprint has them; absent: they are those of
/// training, or of a plan.
inline constexpr char kCalibrationKey[] = "calibration_sha256";

/// How many images a sample for calibration was asked for, 0: all; absent: the first calibration_images were
/// taken.
inline constexpr char kCalibrationLimitKey[] = "calibration_limit";

/// Digits of a hash that travel: 96 bits, which no two files share by accident.
inline constexpr size_t kShortHash = 24;

/// "key=value" lines, sorted by key; a line feed or backslash in a value is written "\\n" or "\\\\". Of
/// "graph_sha256" and its like the suffix is left out and the value is cut to kShortHash digits;
/// "tool_version" is left out, since the file's own description names the tool.
std::string ProvenanceText(const std::map<std::string, std::string>& provenance);

/// The lines back: "graph" -> "0123…". Keys that still have the suffix lose it; lines without "=" are
/// skipped.
std::map<std::string, std::string> ParseProvenance(std::string_view text);

/// Whether ranges were found in data after training, by what ParseProvenance gives.
bool IsCalibrated(const std::map<std::string, std::string>& provenance);

/// Whether two hashes are the same as far as the shorter one goes. Requires  at least kShortHash digits of
/// both, else false.
bool SameHash(std::string_view a, std::string_view b);

}  // namespace qat

#endif  // QAT_CONTRACT_PROVENANCE_H_
