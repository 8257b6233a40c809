// toml_text.h: the only header that includes toml++, for .cc files of this layer: parsing without exceptions,
// places in messages.
#ifndef QAT_SPEC_TOML_TEXT_H_
#define QAT_SPEC_TOML_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1  // the exception-free form is not in the compiled library
#define TOML_ASSERT(expression) static_cast<void>(0)  // of what a user wrote; the parser reports it, too
#include <toml++/toml.h>

#include "base/expected.h"
#include "ops/op.h"
#include "spec/diagnostics.h"

namespace qat {

/// A parsed text and its name in messages.
class TomlText {
 public:
  /// Errors: kInvalidArgument "SOURCE:LINE:COLUMN: what is wrong with the syntax".
  static Expected<TomlText> Parse(std::string_view text, const std::string& source);

  const toml::table& root() const { return root_; }
  const std::string& source() const { return source_; }

  /// "SOURCE:LINE:COLUMN" of a node or a key.
  std::string Place(const toml::node& node) const;
  std::string Place(const toml::key& key) const;

 private:
  toml::table root_;
  std::string source_;
};

TextPlace TextPlaceOf(const toml::node& node);
TextPlace TextPlaceOf(const toml::key& key);

/// A scalar or a list of integers, as operators' keys take it. Errors: kInvalidArgument for anything else.
Expected<AttributeValue> ToAttributeValue(const toml::node& node);

/// "is VALUE, expected EXPECTED": VALUE as written, or what kind of thing it is.
std::string MismatchText(const toml::node& node, std::string_view expected);

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
  /// The same of a value that has to be there: "key 'NAME' is missing, expected EXPECTED", at the block,
  /// where it is not.
  bool Missing(const toml::table& block, std::string_view name, std::string_view expected);

  /// True, or an error for each key that is not `known`, with the nearest of those.
  bool RejectUnknown(const toml::table& table, const std::vector<std::string>& known);

 private:
  Diagnostics errors_;
  std::string context_;
};

}  // namespace qat

#endif  // QAT_SPEC_TOML_TEXT_H_
