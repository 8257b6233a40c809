// plain_names.h: names for layers of a spec out of the names that other frameworks give.
#ifndef QAT_SPEC_PLAIN_NAMES_H_
#define QAT_SPEC_PLAIN_NAMES_H_

#include <string>
#include <vector>

namespace qat {

/// One for each name, all different: a name that a spec can have stays; of
/// "model/block1/conv/Relu6;model/block1/bn/add" the path of the first layer, without the model and the
/// operator, "block1.conv"; of names that end the same, later ones are numbered.
std::vector<std::string> PlainNames(const std::vector<std::string>& names);

}  // namespace qat

#endif  // QAT_SPEC_PLAIN_NAMES_H_
