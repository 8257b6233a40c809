// version1.h: the network of a checkpoint of format version 1, which held the text of a spec.
#ifndef QAT_CHECKPOINT_VERSION1_H_
#define QAT_CHECKPOINT_VERSION1_H_

#include <string>

#include "base/expected.h"
#include "ir/graph.h"

namespace qat {

/// The graph that the text stands for; `source` is its name in messages. Errors: kCorrupt: the user gave a
/// checkpoint, not a spec, so a wrong spec in it means that the file is.
Expected<Graph> NetworkOfVersion1(const std::string& text, const std::string& source);

}  // namespace qat

#endif  // QAT_CHECKPOINT_VERSION1_H_
