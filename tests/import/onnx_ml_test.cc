// Models of scikit-learn, whose operators are those of ai.onnx.ml.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/strings.h"
#include "import/read_network.h"
#include "import/verify_source.h"
#include "support/imported_onnx.h"
#include "support/places.h"
#include "support/test_util.h"

namespace qat {
namespace {

using namespace testing;

constexpr char kMl[] = "ai.onnx.ml";

/// [1, 2] -> `op` -> "y".
OnnxFile One(const std::string& op, const std::vector<ProtoMessage>& attributes) {
  return OnnxFile().Input("x", {1, 2}).Node(op, {"x"}, {"y"}, attributes, kMl).Output("y");
}

/// [1, 2] -> LinearClassifier -> "label", "scores".
OnnxFile Classifier(const std::vector<float>& coefficients, const std::vector<float>& intercepts,
                    const std::string& after, const std::vector<std::string>& classes) {
  OnnxFile file;
  file.Input("x", {1, 2})
      .Node("LinearClassifier", {"x"}, {"label", "scores"},
            {OnnxFloats("coefficients", coefficients), OnnxFloats("intercepts", intercepts),
             OnnxText("post_transform", after), OnnxTexts("classlabels_strings", classes)},
            kMl);
  return file;
}

// What skl2onnx writes, and ONNX Runtime's answers: scripts/make_sklearn_fixtures.py.
class SklearnExport : public ::testing::TestWithParam<const char*> {};

TEST_P(SklearnExport, ComputesWhatOnnxRuntimeDoes) {
  const std::string folder = std::string(kSourceDir) + "/tests/import/onnx/";
  const std::string name = folder + "sklearn_" + GetParam();
  std::vector<std::string> notes;
  auto network = ReadNetwork(name + ".onnx", {}, notes);
  ASSERT_TRUE(network.ok()) << network.error().message;
  ASSERT_EQ(network->graph.outputs.size(), 1u);
  const auto verified =
      VerifySource(network->graph, {folder + "sklearn_x.npy", name + "_y.npy", 1e-5, network->orders});
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(verified->examples, 8);
}

INSTANTIATE_TEST_SUITE_P(Files, SklearnExport, ::testing::Values("text", "two", "mlp", "sgd", "numbers"));

TEST(SklearnExport, NamesItsClassesAndSaysThatTheLabelIsLeftOut) {
  std::vector<std::string> notes;
  auto network = ReadNetwork(std::string(kSourceDir) + "/tests/import/onnx/sklearn_text.onnx", {}, notes);
  ASSERT_TRUE(network.ok()) << network.error().message;
  EXPECT_EQ(network->graph.contract.labels(), (std::vector<std::string>{"high", "low", "mid"}));
  EXPECT_NE(
      Join(notes).find("output 'output_label', the name of a class, is left out; the place of the largest "
                       "value of 'output_probability' says which it is"),
      std::string::npos)
      << Join(notes);
}

TEST(OnnxMl, ScalerTakesOneNumberOrOneForEachColumn) {
  EXPECT_EQ(
      RunImported(One("Scaler", {OnnxFloats("offset", {1, -2}), OnnxFloats("scale", {2, 0.5f})}), {4, 6}),
      (std::vector<float>{6, 4}));
  EXPECT_EQ(RunImported(One("Scaler", {OnnxFloats("scale", {3})}), {4, 6}), (std::vector<float>{12, 18}));
}

TEST(OnnxMl, LinearRegressorHasARowForEachTarget) {
  const auto file = One("LinearRegressor", {OnnxFloats("coefficients", {1, 2, 3, 4}),
                                            OnnxFloats("intercepts", {10, 20}), OnnxInt("targets", 2)});
  EXPECT_EQ(RunImported(file, {1, -1}), (std::vector<float>{9, 19}));
  EXPECT_EQ(RunImported(One("LinearRegressor", {OnnxFloats("coefficients", {1, 2})}), {1, -1}),
            (std::vector<float>{-1}));
}

TEST(OnnxMl, ScoresOfTwoMirroredRowsAreNotDividedByTheirSum) {
  const auto scores = [](const std::vector<float>& coefficients) {
    auto file = Classifier(coefficients, {0.5f, -0.5f}, "LOGISTIC", {"a", "b"});
    file.Node("Normalizer", {"scores"}, {"y"}, {OnnxText("norm", "L1")}, kMl).Output("y");
    return file;
  };
  const auto divisions = [](const OnnxFile& file) {
    const auto import = Import(file);
    if (!import.ok()) return std::ptrdiff_t{-1};
    return std::count_if(import->graph.nodes.begin(), import->graph.nodes.end(),
                         [](const GraphNode& node) { return node.type == OpType::kDiv; });
  };
  const auto logistic = [](double x) { return static_cast<float>(1 / (1 + std::exp(-x))); };
  EXPECT_EQ(divisions(scores({1, 2, -1, -2})), 0);
  const auto mirrored = RunImported(scores({1, 2, -1, -2}), {1, 0.25f});
  ASSERT_EQ(mirrored.size(), 2u);
  EXPECT_NEAR(mirrored[0], logistic(2), 1e-6);
  EXPECT_NEAR(mirrored[1], logistic(-2), 1e-6);
  EXPECT_EQ(divisions(scores({1, 2, 1, -2})), 1);
  const auto others = RunImported(scores({1, 2, 1, -2}), {1, 0.25f});
  ASSERT_EQ(others.size(), 2u);
  EXPECT_NEAR(others[0], logistic(2) / (logistic(2) + 0.5f), 1e-6);
}

TEST(OnnxMl, ColumnsAreChosenAndJoined) {
  OnnxFile file;
  file.Input("x", {1, 3})
      .Input("z", {1, 1})
      .Constant("places", {1, 2}, std::vector<int64_t>{2, 0})
      .Node("ArrayFeatureExtractor", {"x", "places"}, {"two"}, {}, kMl)
      .Node("FeatureVectorizer", {"two", "z"}, {"y"}, {}, kMl)
      .Output("y");
  EXPECT_EQ(RunImported(file, std::vector<std::vector<float>>{{1, 2, 3}, {4}}),
            (std::vector<float>{3, 1, 4}));
}

TEST(OnnxMl, SaysWhatDoesNotComeInAndWhatToDo) {
  const auto refused = [](const OnnxFile& file) { return ErrorOf(file, ErrorCode::kUnsupported); };
  EXPECT_NE(refused(One("Imputer", {})).find("Imputer: integers have no missing values"), std::string::npos);
  EXPECT_NE(refused(One("TreeEnsembleRegressor", {})).find("trees are no layers"), std::string::npos);
  EXPECT_NE(refused(One("Binarizer", {})).find("of which Scaler, LinearClassifier,"), std::string::npos);
  EXPECT_NE(refused(One("Normalizer", {OnnxText("norm", "MAX")})).find("the norms L1 and L2"),
            std::string::npos);
  EXPECT_NE(refused(One("LinearRegressor",
                        {OnnxFloats("coefficients", {1, 2}), OnnxText("post_transform", "PROBIT")}))
                .find("`post_transform` NONE, SOFTMAX or LOGISTIC"),
            std::string::npos);
  // One row for two classes.
  EXPECT_NE(refused(Classifier({1, 2}, {0}, "LOGISTIC", {"a", "b"}).Output("scores"))
                .find("a row of coefficients for each class"),
            std::string::npos);
  // Coefficients that are no rows.
  EXPECT_NE(
      refused(Classifier({1, 2, 3}, {0, 0}, "NONE", {"a", "b"}).Output("scores")).find("LinearClassifier"),
      std::string::npos);
  // The name of a class alone.
  EXPECT_NE(refused(Classifier({1, 2, 3, 4}, {0, 0}, "NONE", {"a", "b"}).Output("label"))
                .find("with scores as an output"),
            std::string::npos);
}

TEST(OnnxMl, TextThatNothingReadsIsLetPass) {
  const auto file = [](const std::string& read) {
    OnnxFile made;
    made.Input("x", {1, 2});
    made.graph().Message(
        5, ProtoMessage().Integer(1, 2).Integer(2, 8).Text(8, "names").Text(6, "a").Text(6, "b"));
    return made.Node("Add", {"x", read}, {"y"}).Output("y");
  };
  EXPECT_EQ(RunImported(file("x"), {1, 2}), (std::vector<float>{2, 4}));
  EXPECT_NE(ErrorOf(file("names"), ErrorCode::kUnsupported).find("reads 'names', which is text"),
            std::string::npos);
}

TEST(OnnxMl, AnOutOfRangeListOfTextIsCorrupt) {
  OnnxFile made;
  made.Input("x", {1, 2});
  made.graph().Message(5, ProtoMessage().Integer(1, 3).Integer(2, 8).Text(8, "names").Text(6, "a"));
  made.Node("Neg", {"x"}, {"y"}).Output("y");
  const auto model = onnx::ParseModel(made.Bytes(), "m.onnx");
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("holds 1 values, its sizes say 3"), std::string::npos);
}

// 1 / (1 + exp(-x)): the exponential of 100 is beyond float32.
TEST(ImportOnnx, ASigmoidThatWasTakenApartIsOneOperatorAgain) {
  for (const bool reciprocal : {false, true}) {
    OnnxFile file;
    file.Input("x", {1, 3})
        .Constant("one", {1}, std::vector<float>{1})
        .Constant("minus", {1}, std::vector<float>{-1});
    if (reciprocal)
      file.Node("Mul", {"minus", "x"}, {"n"});
    else
      file.Node("Neg", {"x"}, {"n"});
    file.Node("Exp", {"n"}, {"e"}).Node("Add", {"e", "one"}, {"s"});
    if (reciprocal)
      file.Node("Reciprocal", {"s"}, {"y"});
    else
      file.Node("Div", {"one", "s"}, {"y"});
    file.Output("y");
    const auto import = Import(file);
    QAT_ASSERT_OK(import);
    ASSERT_EQ(import->graph.nodes.size(), 1u);
    EXPECT_EQ(import->graph.nodes[0].type, OpType::kLogistic);
    const auto y = RunImported(file, {-100, 0, 100});
    EXPECT_NEAR(y[0], 0, 1e-6);
    EXPECT_EQ(y[1], 0.5f);
    EXPECT_NEAR(y[2], 1, 1e-6);
  }
}

}  // namespace
}  // namespace qat
