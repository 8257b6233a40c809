// toml_text.h: toml++ behind one door, for .cc files of this layer: parsing without exceptions, places in
// messages.
#ifndef QAT_SPEC_TOML_TEXT_H_
#define QAT_SPEC_TOML_TEXT_H_

#include <string>
#include <string_view>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1  // the exception-free form is not in the compiled library
#define TOML_ASSERT(expression) static_cast<void>(0)  // of what a user wrote; the parser reports it, too
#include <toml++/toml.h>

#include "base/expected.h"
#include "ops/op.h"
#include "spec/diagnostics.h"

namespace qat {

/// A parsed text that remembers what to call itself in messages.
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

}  // namespace qat

#endif  // QAT_SPEC_TOML_TEXT_H_
