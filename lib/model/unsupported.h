// unsupported.h: the list of everything that prevents a model from running: every reason once, with the
// operators it applies to.
#ifndef QAT_MODEL_UNSUPPORTED_H_
#define QAT_MODEL_UNSUPPORTED_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace qat {

class UnsupportedList {
 public:
  void Add(std::string reason);
  void Add(std::string reason, size_t node);
  void Add(const UnsupportedList& others);
  bool empty() const { return items_.empty(); }
  /// "LSTM version 2: … (operators 3, 7); sparse tensor 'w'". Of many operators the first few.
  std::string Text() const;

 private:
  std::vector<size_t>& NodesOf(std::string reason);
  std::vector<std::pair<std::string, std::vector<size_t>>> items_;
};

}  // namespace qat

#endif  // QAT_MODEL_UNSUPPORTED_H_
