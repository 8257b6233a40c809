// refusals.h: what a reader of a spec says about a value that it cannot take.
#ifndef QAT_SPEC_REFUSALS_H_
#define QAT_SPEC_REFUSALS_H_

#include <string>
#include <vector>

#include "spec/diagnostics.h"
#include "spec/toml_text.h"

namespace qat {

/// All functions but errors() return false, so that a reader can return what they do.
class Refusals {
 public:
  explicit Refusals(std::string source) : errors_(std::move(source)) {}

  Diagnostics& errors() { return errors_; }
  /// What stands in front of every message from now on: "layer 'x': ".
  void set_context(std::string context) { context_ = std::move(context); }

  bool Refuse(TextPlace place, Error error);
  template <class Node>
  bool Refuse(const Node& node, std::string what) {
    return Refuse(TextPlaceOf(node), InvalidArgument(std::move(what)));
  }
  /// "'NAME' is VALUE, expected EXPECTED", at the value.
  bool Mismatch(const toml::node& node, std::string_view name, std::string_view expected);
  /// The same of a value that has to be there: "key 'NAME' is missing, expected EXPECTED", at the block, where it is not.
  bool Missing(const toml::table& block, std::string_view name, std::string_view expected);

  /// True, or an error for each key that is not `known`, with the nearest of those.
  bool RejectUnknown(const toml::table& table, const std::vector<std::string>& known);

 private:
  Diagnostics errors_;
  std::string context_;
};

}  // namespace qat

#endif  // QAT_SPEC_REFUSALS_H_
