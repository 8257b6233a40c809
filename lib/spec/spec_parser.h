// spec_parser.h: from TOML to layers. It continues after an error, so that all of them are reported together.
#ifndef QAT_SPEC_SPEC_PARSER_H_
#define QAT_SPEC_SPEC_PARSER_H_

#include <string>
#include <string_view>

#include "spec/network_spec.h"

namespace qat {

/// The layers as written, lowered one by one (spec/lower.h) but not rewritten. Errors: every problem of the
/// text, one line each.
Expected<NetworkSpec> ParseLayers(std::string_view text, const std::string& source);

}  // namespace qat

#endif  // QAT_SPEC_SPEC_PARSER_H_
