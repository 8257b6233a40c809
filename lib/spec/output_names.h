// output_names.h: what the layers of a spec can name as their inputs while it is read.
#ifndef QAT_SPEC_OUTPUT_NAMES_H_
#define QAT_SPEC_OUTPUT_NAMES_H_

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "spec/diagnostics.h"

namespace qat {

/// An output whose layer has an error: its readers are not reported.
inline constexpr int32_t kUnknownLayer = std::numeric_limits<int32_t>::min();

/// Whether a layer may be called so: letters, digits, '_', '-' and '.', not "input". Names become tensor
/// names ("conv1/filter", "split:0") and file names.
bool IsPlainName(std::string_view name);

class OutputNames {
 public:
  /// Names of the network's inputs, instead of the one "input".
  void SetInputs(std::vector<std::string> names, std::vector<TextPlace> places);
  /// A layer's output, or each part of a split, whose layers are `layer`, `layer` + 1, …
  void Declare(const std::string& name, TextPlace place, int32_t layer, int32_t parts = 1);
  /// A name that some layer of the text has: reading it before it is declared is reading ahead.
  void DeclareToCome(const std::string& name, TextPlace place) { to_come_.emplace(name, place); }
  /// A layer without a usable name.
  void DeclareNameless() { previous_.reset(), nameless_ = true; }

  /// Where a name was declared; line 0 where it was not.
  TextPlace PlaceOf(const std::string& name) const;

  /// The layer whose output it is, NetworkInput(i) or kUnknownLayer. Errors: kInvalidArgument, in terms of
  /// names.
  Expected<int32_t> Read(const std::string& name);
  /// The output of the layer before.
  Expected<int32_t> ReadPrevious();

  /// What an output of the network is called. Errors: as Read's, in terms of outputs.
  Expected<int32_t> ReadOutput(const std::string& name);
  /// The text names the outputs: the last layer is one only where it is named, too.
  void SetHasOutputs() { has_outputs_ = true; }

  /// Adds "layer 'x' is read by no other layer and is not the last one" for each, and the same for inputs out
  /// of several. Nothing where a name was not found: that is the cause.
  void AddUnread(Diagnostics& diagnostics) const;

 private:
  struct Layer {
    std::string name;
    TextPlace place;
    int32_t layer;
    std::vector<bool> read;  // one per part
  };
  Error NotFound(const std::string& name) const;

  std::vector<Layer> layers_;
  std::map<std::string, size_t> by_name_;
  std::map<std::string, TextPlace> to_come_;
  std::vector<std::string> inputs_ = {"input"};
  std::vector<TextPlace> input_places_;  // of several
  std::vector<bool> input_read_ = {false};
  std::optional<std::string> previous_ = "input";
  bool nameless_ = false;
  bool missed_ = false;
  bool has_outputs_ = false;
};

}  // namespace qat

#endif  // QAT_SPEC_OUTPUT_NAMES_H_
