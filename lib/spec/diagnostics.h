// diagnostics.h: everything that is wrong with a text, told at once.
#ifndef QAT_SPEC_DIAGNOSTICS_H_
#define QAT_SPEC_DIAGNOSTICS_H_

#include <vector>

#include "base/expected.h"

namespace qat {

class Diagnostics {
 public:
  void Add(Error error) { errors_.push_back(std::move(error)); }
  bool empty() const { return errors_.empty(); }

  /// Fine where nothing was added, else one error with a line for each, in the order added: kUnsupported where all of them
  /// are that, kInvalidArgument where one is a mistake in the text.
  Status Take();

 private:
  std::vector<Error> errors_;
};

}  // namespace qat

#endif  // QAT_SPEC_DIAGNOSTICS_H_
