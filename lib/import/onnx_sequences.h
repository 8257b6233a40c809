// onnx_sequences.h: ONNX's lists of values, as exports have them where a tensor is cut into parts. For .cc
// files of lib/import only.
#ifndef QAT_IMPORT_ONNX_SEQUENCES_H_
#define QAT_IMPORT_ONNX_SEQUENCES_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "import/onnx_convert.h"

namespace qat {

/// Lists of a length that is known: their entries are values like others.
class OnnxSequences {
 public:
  /// SplitToSequence, SequenceConstruct, SequenceAt, ConcatFromSequence, SequenceLength.
  static bool Handles(std::string_view op);
  bool Has(const std::string& name) const { return lists_.count(name) > 0; }
  /// The values of a node that Handles; none of one that makes a list, which is kept. Errors: kUnsupported
  /// (places that are computed while the network runs), kInvalidArgument.
  Converted Convert(OnnxConversion& c, const OnnxNode& node);

 private:
  Converted Cut(OnnxConversion& c, const OnnxNode& node) const;
  Converted Joined(OnnxConversion& c, const OnnxNode& node, const std::vector<OnnxValue>& list) const;

  std::map<std::string, std::vector<OnnxValue>> lists_;
};

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_SEQUENCES_H_
