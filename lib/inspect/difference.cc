#include "inspect/difference.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr char kNothing[] = "-";
// Pairs of operators beyond which they are aligned by their places.
constexpr size_t kMostPairs = 16 << 20;

using Pairs = std::vector<std::pair<int32_t, int32_t>>;  // -1: not there

// The longest common sequence of names, what lies between it in order.
Pairs Align(const std::vector<InspectedOperator>& a, const std::vector<InspectedOperator>& b) {
  Pairs pairs;
  const size_t n = a.size(), m = b.size();
  if (n * m > kMostPairs) {
    for (size_t i = 0; i < std::max(n, m); ++i)
      pairs.emplace_back(i < n ? static_cast<int32_t>(i) : -1, i < m ? static_cast<int32_t>(i) : -1);
    return pairs;
  }
  std::vector<std::vector<uint32_t>> length(n + 1, std::vector<uint32_t>(m + 1));
  for (size_t i = n; i-- > 0;) {
    for (size_t j = m; j-- > 0;) {
      length[i][j] =
          a[i].name == b[j].name ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
    }
  }
  size_t i = 0, j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && a[i].name == b[j].name) {
      pairs.emplace_back(static_cast<int32_t>(i++), static_cast<int32_t>(j++));
    } else if (j == m || (i < n && length[i + 1][j] >= length[i][j + 1])) {
      pairs.emplace_back(static_cast<int32_t>(i++), -1);
    } else {
      pairs.emplace_back(-1, static_cast<int32_t>(j++));
    }
  }
  return pairs;
}

std::string TypeAndShape(const InspectedTensor& tensor) {
  return StrCat(tensor.type, " ", ToString(tensor.shape));
}

std::string Brief(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", value);
  return text;
}

class Comparison {
 public:
  Comparison(const Inspection& a, const Inspection& b)
      : a_(a), b_(b), partner_of_a_(a.tensors.size(), -1), partner_of_b_(b.tensors.size(), -1) {}

  std::vector<Difference> Run() {
    if (a_.sha256 == b_.sha256 && a_.kind == b_.kind) return {};
    Note("file", "kind", a_.kind, b_.kind);
    PairTensors(a_.inputs, b_.inputs);
    PairTensors(a_.outputs, b_.outputs);
    CompareOperators();
    CompareTensors();
    CompareWords();
    return std::move(differences_);
  }

 private:
  void Note(const std::string& where, const char* field, const std::string& a, const std::string& b) {
    if (a != b) differences_.push_back({where, field, a.empty() ? kNothing : a, b.empty() ? kNothing : b});
  }

  void PairTensors(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (a[i] < 0 || b[i] < 0) continue;
      int32_t& of_a = partner_of_a_[static_cast<size_t>(a[i])];
      int32_t& of_b = partner_of_b_[static_cast<size_t>(b[i])];
      if (of_a >= 0 || of_b >= 0) continue;
      of_a = b[i];
      of_b = a[i];
    }
  }

  static std::string Called(const InspectedOperator& each, int32_t index) {
    return StrCat("operator ", index, " (", each.name, ")");
  }

  void CompareOperators() {
    for (const auto& [i, j] : Align(a_.operators, b_.operators)) {
      if (i < 0 || j < 0) {
        const InspectedOperator& only =
            i < 0 ? b_.operators[static_cast<size_t>(j)] : a_.operators[static_cast<size_t>(i)];
        const std::string text = StrCat(only.name, only.layer.empty() ? "" : StrCat(" '", only.layer, "'"));
        differences_.push_back(
            {Called(only, std::max(i, j)), "operator", i < 0 ? kNothing : text, j < 0 ? kNothing : text});
        continue;
      }
      const InspectedOperator& of_a = a_.operators[static_cast<size_t>(i)];
      const InspectedOperator& of_b = b_.operators[static_cast<size_t>(j)];
      const std::string where = Called(of_a, i);
      // Graphs and checkpoints have no versions.
      if (of_a.version != 0 && of_b.version != 0)
        Note(where, "version", StrCat(of_a.version), StrCat(of_b.version));
      Note(where, "attributes", of_a.attributes, of_b.attributes);
      Note(where, "number of inputs", StrCat(of_a.inputs.size()), StrCat(of_b.inputs.size()));
      Note(where, "number of outputs", StrCat(of_a.outputs.size()), StrCat(of_b.outputs.size()));
      PairTensors(of_a.inputs, of_b.inputs);
      PairTensors(of_a.outputs, of_b.outputs);
    }
  }

  void PairByName() {
    std::map<std::string, int32_t> free;
    for (size_t j = 0; j < b_.tensors.size(); ++j) {
      if (partner_of_b_[j] < 0) free.emplace(b_.tensors[j].name, static_cast<int32_t>(j));
    }
    for (size_t i = 0; i < a_.tensors.size(); ++i) {
      if (partner_of_a_[i] >= 0) continue;
      const auto found = free.find(a_.tensors[i].name);
      if (found == free.end() || partner_of_b_[static_cast<size_t>(found->second)] >= 0) continue;
      partner_of_a_[i] = found->second;
      partner_of_b_[static_cast<size_t>(found->second)] = static_cast<int32_t>(i);
    }
  }

  void CompareTensors() {
    PairByName();
    for (size_t i = 0; i < a_.tensors.size(); ++i) {
      const InspectedTensor& of_a = a_.tensors[i];
      const std::string where = StrCat("tensor '", of_a.name, "'");
      if (partner_of_a_[i] < 0) {
        differences_.push_back({where, "tensor", TypeAndShape(of_a), kNothing});
      } else {
        CompareTensor(where, of_a, b_.tensor(partner_of_a_[i]));
      }
    }
    for (size_t j = 0; j < b_.tensors.size(); ++j) {
      if (partner_of_b_[j] < 0)
        differences_.push_back(
            {StrCat("tensor '", b_.tensors[j].name, "'"), "tensor", kNothing, TypeAndShape(b_.tensors[j])});
    }
  }

  void CompareTensor(const std::string& where, const InspectedTensor& a, const InspectedTensor& b) {
    Note(where, "name", a.name, b.name);
    Note(where, "type", a.type, b.type);
    Note(where, "shape", ToString(a.shape), ToString(b.shape));
    Note(where, "constant", a.constant ? "yes" : "no", b.constant ? "yes" : "no");
    CompareQuantization(where, a, b);
    if (a.range && b.range) Note(where, "range", RangeText(*a.range), RangeText(*b.range));
    if (a.constant && b.constant) CompareValues(where, a, b);
  }

  void CompareQuantization(const std::string& where, const InspectedTensor& a, const InspectedTensor& b) {
    if (a.scale == b.scale && a.zero_point == b.zero_point &&
        (a.scale.size() < 2 || a.dimension == b.dimension))
      return;
    std::string of_a = QuantizationText(a), of_b = QuantizationText(b);
    if (of_a == of_b) of_b += " (other ones)";  // lists that are shown by their ends
    differences_.push_back({where, "quantization", of_a, of_b});
  }

  // As real numbers, since an integer means nothing without its scale.
  void CompareValues(const std::string& where, const InspectedTensor& a, const InspectedTensor& b) {
    const bool same_bytes = std::equal(a.data.begin(), a.data.end(), b.data.begin(), b.data.end());
    if (same_bytes && a.type == b.type) return;
    const std::vector<float> of_a = RealValues(a), of_b = RealValues(b);
    if (of_a.empty() || of_a.size() != of_b.size()) {
      if (a.shape == b.shape)
        Note(where, "values", StrCat("sha256 ", Sha256(a.data).substr(0, 12)),
             StrCat("sha256 ", Sha256(b.data).substr(0, 12)));
      return;
    }
    size_t different = 0;
    double largest = 0;
    for (size_t i = 0; i < of_a.size(); ++i) {
      if (of_a[i] == of_b[i]) continue;
      ++different;
      largest = std::max(largest, std::abs(double{of_a[i]} - of_b[i]));
    }
    if (different == 0) return;
    differences_.push_back({where, "values", StrCat("sha256 ", Sha256(a.data).substr(0, 12)),
                            StrCat("sha256 ", Sha256(b.data).substr(0, 12), "; ", different, " of ",
                                   of_a.size(), " differ, by ", Brief(largest), " at most")});
  }

  static std::string RangeText(const Range& range) { return StrCat("[", range.min, ", ", range.max, "]"); }

  void CompareWords() {
    Note("file", "contract", Join(a_.contract, "; "), Join(b_.contract, "; "));
    if (a_.labels != b_.labels) {
      const auto text = [](const std::vector<std::string>& labels) {
        return labels.empty() ? std::string() : StrCat(labels.size(), " labels, '", labels[0], "', …");
      };
      const auto [x, y] =
          std::mismatch(a_.labels.begin(), a_.labels.end(), b_.labels.begin(), b_.labels.end());
      const auto at = x - a_.labels.begin();
      if (x != a_.labels.end() && y != b_.labels.end()) {
        Note("file", "labels", StrCat("label ", at, " is '", *x, "'"),
             StrCat("label ", at, " is '", *y, "'"));
      } else {
        Note("file", "labels", text(a_.labels), text(b_.labels));
      }
    }
    CompareLists("says", {a_.facts.begin(), a_.facts.end()}, {b_.facts.begin(), b_.facts.end()});
    CompareLists("metadata", {a_.metadata.begin(), a_.metadata.end()},
                 {b_.metadata.begin(), b_.metadata.end()});
    CompareLists("made from", a_.provenance, b_.provenance);
    if (a_.kind == b_.kind) Note("file", "made by", a_.made_by, b_.made_by);
  }

  // Kinds of files that say other things are not compared by them.
  void CompareLists(const std::string& where, const std::map<std::string, std::string>& a,
                    const std::map<std::string, std::string>& b) {
    if (a_.kind != b_.kind) return;
    std::set<std::string> keys;
    for (const auto& [key, value] : a) keys.insert(key);
    for (const auto& [key, value] : b) keys.insert(key);
    const auto of = [](const auto& list, const std::string& key) {
      const auto found = list.find(key);
      return found == list.end() ? std::string() : found->second;
    };
    for (const std::string& key : keys) Note(where, key.c_str(), of(a, key), of(b, key));
  }

  const Inspection& a_;
  const Inspection& b_;
  std::vector<int32_t> partner_of_a_, partner_of_b_;
  std::vector<Difference> differences_;
};

}  // namespace

std::string QuantizationText(const InspectedTensor& tensor) {
  if (tensor.scale.empty()) return kNothing;
  if (tensor.scale.size() == 1)
    return StrCat("scale ", tensor.scale[0], ", zero point ",
                  tensor.zero_point.empty() ? 0 : tensor.zero_point[0]);
  const auto [low, high] = std::minmax_element(tensor.scale.begin(), tensor.scale.end());
  std::string text = StrCat(tensor.scale.size(), " scales ", Brief(*low), " to ", Brief(*high),
                            " along axis ", tensor.dimension);
  const auto [least, most] = std::minmax_element(tensor.zero_point.begin(), tensor.zero_point.end());
  if (least != tensor.zero_point.end() && (*least != 0 || *most != 0))
    text += StrCat(", zero points ", *least, " to ", *most);
  return text;
}

std::vector<Difference> Compare(const Inspection& a, const Inspection& b) { return Comparison(a, b).Run(); }

}  // namespace qat
