#include "import/onnx_ml.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/strings.h"

namespace qat {
namespace {

using onnx::Attribute;
using onnx::Node;

// ONNX's own operators are written as of this opset where the model names none.
constexpr int64_t kOpset = 13;

std::vector<float> RealsOf(const Node& node, std::string_view name) {
  const Attribute* found = node.Find(name);
  return found == nullptr ? std::vector<float>() : found->reals;
}

std::string TextOf(const Node& node, std::string_view name, std::string otherwise) {
  const Attribute* found = node.Find(name);
  return found == nullptr ? otherwise : found->text;
}

Attribute Integer(std::string name, int64_t value) {
  Attribute attribute;
  attribute.name = std::move(name);
  attribute.kind = Attribute::Kind::kInt;
  attribute.integer = value;
  return attribute;
}

Node MakeNode(const Node& like, std::string op, std::vector<std::string> inputs, std::string output) {
  Node node;
  node.name = like.name;
  node.op = std::move(op);
  node.inputs = std::move(inputs);
  node.outputs = {std::move(output)};
  return node;
}

/// Operators of the first set that hand on what they read.
bool HandsOn(const Node& node) {
  static const std::set<std::string_view> kOps = {"Cast",    "Reshape",   "Identity",
                                                  "Squeeze", "Unsqueeze", "Flatten"};
  return node.domain.empty() && kOps.contains(node.op) && !node.inputs.empty();
}

class Rewriter {
 public:
  explicit Rewriter(onnx::Model& model) : graph_(model.graph) {
    for (const onnx::Tensor& tensor : graph_.initializers) constants_[tensor.name] = &tensor;
  }

  MlRewrite Run() {
    FindLabels();
    LeaveOutLabels();
    std::vector<Node> nodes;
    for (const Node& node : graph_.nodes) {
      made_.clear();
      if (node.domain == kMlDomain && Rewrite(node))
        nodes.insert(nodes.end(), made_.begin(), made_.end());
      else
        nodes.push_back(node);
    }
    graph_.nodes = std::move(nodes);
    for (onnx::Tensor& tensor : new_constants_) graph_.initializers.push_back(std::move(tensor));
    return std::move(result_);
  }

 private:
  /// Names and numbers of the most likely class, and what only hands them on.
  void FindLabels() {
    for (const Node& node : graph_.nodes) {
      if (node.outputs.empty()) continue;
      const bool ml = node.domain == kMlDomain;
      const bool classifier = ml && node.op.ends_with("Classifier");
      const bool names = ml && (node.op == "LabelEncoder" || ChoosesAName(node));
      if (classifier || names || (HandsOn(node) && labels_.contains(node.inputs[0])))
        labels_.insert(node.outputs[0]);
      if (classifier && node.Find("classlabels_strings") != nullptr)
        result_.class_names = node.Find("classlabels_strings")->texts;
      if (ml && ChoosesAName(node)) result_.class_names = constants_.at(node.inputs[0])->texts;
    }
  }

  /// The name at a computed place of a list; the choice of columns has its places as constants.
  bool ChoosesAName(const Node& node) const {
    return node.op == "ArrayFeatureExtractor" && node.inputs.size() == 2 &&
           constants_.contains(node.inputs[0]) && !constants_.contains(node.inputs[1]);
  }

  void LeaveOutLabels() {
    const auto is_label = [&](const onnx::ValueInfo& output) { return labels_.contains(output.name); };
    only_labels_ = std::all_of(graph_.outputs.begin(), graph_.outputs.end(), is_label);
    if (only_labels_) return;
    for (const onnx::ValueInfo& output : graph_.outputs) {
      if (is_label(output)) result_.left_out.push_back(output.name);
    }
    std::erase_if(graph_.outputs, is_label);
  }

  /// A constant of a node's numbers.
  std::string Constant(const Node& node, std::string_view what, std::vector<int64_t> dims,
                       std::vector<float> values) {
    onnx::Tensor tensor;
    tensor.name = StrCat(node.outputs[0], "/", what);
    tensor.type = onnx::ElementType::kFloat;
    tensor.dims = std::move(dims);
    tensor.reals = std::move(values);
    new_constants_.push_back(std::move(tensor));
    return new_constants_.back().name;
  }

  bool Rewrite(const Node& node) {
    if (node.inputs.empty() || node.outputs.empty()) return false;
    if (node.op == "Scaler") return Scaler(node);
    if (node.op == "LinearRegressor") return Linear(node, "targets", node.outputs[0]);
    if (node.op == "LinearClassifier") return LinearClassifier(node);
    if (node.op == "Normalizer") return Normalizer(node);
    if (node.op == "ArrayFeatureExtractor") return Columns(node);
    if (node.op == "ZipMap") return ZipMap(node);
    if (node.op == "FeatureVectorizer") {
      made_.push_back(MakeNode(node, "Concat", node.inputs, node.outputs[0]));
      made_.back().attributes = {Integer("axis", 1)};
      return true;
    }
    return false;
  }

  /// (x - offset) * scale
  bool Scaler(const Node& node) {
    const std::vector<float> offset = RealsOf(node, "offset"), scale = RealsOf(node, "scale");
    std::string x = node.inputs[0];
    if (!offset.empty()) {
      const std::string by = Constant(node, "offset", {std::ssize(offset)}, offset);
      const std::string less = scale.empty() ? node.outputs[0] : StrCat(node.outputs[0], "/less");
      made_.push_back(MakeNode(node, "Sub", {x, by}, less));
      x = less;
    }
    if (!scale.empty()) {
      const std::string by = Constant(node, "scale", {std::ssize(scale)}, scale);
      made_.push_back(MakeNode(node, "Mul", {x, by}, node.outputs[0]));
    }
    return !made_.empty();
  }

  /// A product with rows of coefficients, and what follows it. `rows` is the attribute that counts them,
  /// which intercepts do where it is missing.
  bool Linear(const Node& node, std::string_view rows, const std::string& output) {
    const std::vector<float> coefficients = RealsOf(node, "coefficients");
    std::vector<float> intercepts = RealsOf(node, "intercepts");
    const Attribute* given = node.Find(rows);
    const int64_t count = given != nullptr ? given->integer : intercepts.empty() ? 1 : std::ssize(intercepts);
    if (count < 1 || coefficients.empty() || std::ssize(coefficients) % count != 0) return false;
    if (intercepts.empty()) intercepts.assign(static_cast<size_t>(count), 0);
    if (std::ssize(intercepts) != count) return false;
    static const std::map<std::string, std::string> kAfter = {
        {"NONE", ""}, {"SOFTMAX", "Softmax"}, {"LOGISTIC", "Sigmoid"}};
    const auto after = kAfter.find(TextOf(node, "post_transform", "NONE"));
    if (after == kAfter.end()) return false;
    const std::string weights =
        Constant(node, "coefficients", {count, std::ssize(coefficients) / count}, coefficients);
    const std::string bias = Constant(node, "intercepts", {count}, intercepts);
    const std::string sums = after->second.empty() ? output : StrCat(output, "/sums");
    made_.push_back(MakeNode(node, "Gemm", {node.inputs[0], weights, bias}, sums));
    made_.back().attributes = {Integer("transB", 1)};
    if (!after->second.empty()) {
      made_.push_back(MakeNode(node, after->second, {sums}, output));
      if (after->second == "Softmax") made_.back().attributes = {Integer("axis", 1)};
    }
    return true;
  }

  /// Scores [N, classes]; the label has been left out. One row for two classes has rules of its own.
  bool LinearClassifier(const Node& node) {
    const size_t rows = RealsOf(node, "intercepts").size();
    const Attribute* texts = node.Find("classlabels_strings");
    const Attribute* numbers = node.Find("classlabels_ints");
    const size_t classes = texts != nullptr     ? texts->texts.size()
                           : numbers != nullptr ? numbers->integers.size()
                                                : rows;
    if (only_labels_ || node.outputs.size() < 2 || rows == 0 || rows != classes) return false;
    if (!Linear(node, "", node.outputs[1])) return false;
    if (TextOf(node, "post_transform", "NONE") == "LOGISTIC" && IsMirrored(node))
      sum_to_one_.insert(node.outputs[1]);
    return true;
  }

  /// Two rows of which one is the other with its sign turned: their logistic functions add up to 1.
  static bool IsMirrored(const Node& node) {
    const std::vector<float> w = RealsOf(node, "coefficients"), b = RealsOf(node, "intercepts");
    if (b.size() != 2 || b[0] != -b[1]) return false;
    const auto half = static_cast<std::ptrdiff_t>(w.size() / 2);
    return std::equal(w.begin(), w.begin() + half, w.begin() + half, w.end(),
                      [](float a, float c) { return a == -c; });
  }

  bool Normalizer(const Node& node) {
    const std::string norm = TextOf(node, "norm", "MAX");
    if (norm != "L1" && norm != "L2") return false;
    if (norm == "L1" && sum_to_one_.contains(node.inputs[0])) {
      made_.push_back(MakeNode(node, "Identity", {node.inputs[0]}, node.outputs[0]));
      return true;
    }
    made_.push_back(MakeNode(node, "LpNormalization", {node.inputs[0]}, node.outputs[0]));
    made_.back().attributes = {Integer("axis", 1), Integer("p", norm == "L1" ? 1 : 2)};
    return true;
  }

  bool Columns(const Node& node) {
    if (node.inputs.size() != 2 || !constants_.contains(node.inputs[1])) return false;
    // Its places are [1, columns]; those of Gather keep their shape.
    onnx::Tensor places = *constants_.at(node.inputs[1]);
    if (!onnx::IsInteger(places.type)) return false;
    places.name = StrCat(node.outputs[0], "/columns");
    places.dims = {places.size()};
    made_.push_back(MakeNode(node, "Gather", {node.inputs[0], places.name}, node.outputs[0]));
    made_.back().attributes = {Integer("axis", -1)};
    new_constants_.push_back(std::move(places));
    return true;
  }

  /// Scores by name become scores in the order of the names.
  bool ZipMap(const Node& node) {
    made_.push_back(MakeNode(node, "Identity", {node.inputs[0]}, node.outputs[0]));
    for (onnx::ValueInfo& output : graph_.outputs) {
      if (output.name == node.outputs[0]) output.is_tensor = true;
    }
    return true;
  }

  onnx::Graph& graph_;
  std::map<std::string, const onnx::Tensor*> constants_;
  std::set<std::string> labels_, sum_to_one_;
  bool only_labels_ = false;
  std::vector<Node> made_;
  std::vector<onnx::Tensor> new_constants_;
  MlRewrite result_;
};

}  // namespace

MlRewrite RewriteMl(onnx::Model& model) {
  const auto is_ml = [](const Node& node) { return node.domain == kMlDomain; };
  if (std::none_of(model.graph.nodes.begin(), model.graph.nodes.end(), is_ml)) return {};
  if (model.opset() == 0) model.opsets[""] = kOpset;
  return Rewriter(model).Run();
}

std::string WayOutForMl(const std::string& op) {
  static const std::map<std::string_view, std::string_view> kWays = {
      {"TreeEnsemble", "trees are no layers; train a network on the same data (qat-train), or an MLP"},
      {"SVM", "kernels are no layers; use LogisticRegression or an MLP"},
      {"Imputer", "integers have no missing values; fill them in before the network"},
      {"OneHotEncoder", "let the network take the columns of ones and zeros"},
      {"LabelEncoder", "let the network take or give numbers"},
      {"LinearClassifier",
       "comes in with a row of coefficients for each class, `post_transform` NONE, SOFTMAX or LOGISTIC, and "
       "with scores as an output"},
      {"LinearRegressor", "comes in with `post_transform` NONE, SOFTMAX or LOGISTIC"},
      {"Normalizer", "comes in with the norms L1 and L2"},
      {"ArrayFeatureExtractor", "comes in with constant places; leave out the output that names the class"},
  };
  for (const auto& [begin, way] : kWays) {
    if (op.starts_with(begin)) return std::string(way);
  }
  return StrCat("is one of '", kMlDomain,
                "', of which Scaler, LinearClassifier, LinearRegressor, Normalizer, FeatureVectorizer, "
                "ArrayFeatureExtractor and ZipMap come in; compute it before the network");
}

}  // namespace qat
