#include "data/label_map.h"

#include <limits>

#include "support/test_util.h"

namespace qat {
namespace {

using Classes = std::vector<int32_t>;
using Names = std::vector<std::string>;

LabelArray Values(std::vector<int64_t> values, int32_t pixels = 1) {
  LabelArray array;
  array.path = "y";
  array.width = pixels;
  array.count = std::ssize(values) / pixels;
  array.values = std::move(values);
  return array;
}

LabelArray Texts(Names texts) {
  LabelArray array;
  array.path = "y";
  array.count = std::ssize(texts);
  array.texts = std::move(texts);
  return array;
}

Expected<LabelMap> Map(const LabelArray& array, const KnownClasses& known = {}) {
  const LabelArray* const one = &array;
  return LabelMap::Make({&one, 1}, known);
}

TEST(LabelMap, LabelsFromZeroAreIndices) {
  const LabelArray array = Values({2, 0, 1});
  const auto map = Map(array);
  QAT_ASSERT_OK(map);
  EXPECT_EQ(map->class_names(), (Names{"0", "1", "2"}));
  EXPECT_EQ(map->note(), "");
  EXPECT_EQ(*map->Apply(array), (Classes{2, 0, 1}));
  const auto gap = Map(Values({0, 1, 3}));
  QAT_ASSERT_OK(gap);
  EXPECT_EQ(gap->class_names().size(), 4u);
  EXPECT_EQ(gap->note(), "1 of the classes 0 to 3 have no example");
}

TEST(LabelMap, OtherNumbersAreClassesByTheirValue) {
  struct Case {
    std::vector<int64_t> values;
    Classes classes;
    Names names;
  };
  for (const Case& c : std::vector<Case>{{{1, 2, 3}, {0, 1, 2}, {"1", "2", "3"}},
                                         {{1, -1, 1}, {1, 0, 1}, {"-1", "1"}},
                                         {{7, 3}, {1, 0}, {"3", "7"}},
                                         {{0, 255, 0}, {0, 1, 0}, {"0", "255"}}}) {
    const LabelArray array = Values(c.values);
    const auto map = Map(array);
    QAT_ASSERT_OK(map);
    EXPECT_EQ(map->class_names(), c.names);
    EXPECT_EQ(*map->Apply(array), c.classes);
    EXPECT_NE(map->note(), "");
    // Another program that knows the names only comes to the same.
    KnownClasses known;
    known.model = c.names;
    EXPECT_EQ(*Map(array, known)->Apply(array), c.classes);
  }
  // Both ends of int64: the distance between them is none.
  using Limits = std::numeric_limits<int64_t>;
  const auto map = Map(Values({Limits::max(), Limits::min(), 3}));
  QAT_ASSERT_OK(map);
  EXPECT_EQ(map->class_names(), (Names{"-9223372036854775808", "3", "9223372036854775807"}));
  EXPECT_NE(map->note().find("labels -9223372036854775808, 3 and 9223372036854775807 are 3 classes"),
            std::string::npos)
      << map->note();
}

TEST(LabelMap, TwoHundredAndFiftyFiveIsIgnoredWhereItCanBeNoClass) {
  const LabelArray array = Values({0, 1, 2, 255}, 2);
  const auto map = Map(array);
  QAT_ASSERT_OK(map);
  EXPECT_EQ(map->class_names(), (Names{"0", "1", "2"}));
  EXPECT_EQ(map->ignored(), 255);
  EXPECT_EQ(*map->Apply(array), (Classes{0, 1, 2, kIgnoredLabel}));
  EXPECT_NE(map->note().find("pixels of label 255 are ignored"), std::string::npos) << map->note();
  // A model that knows the classes comes to the same.
  KnownClasses known;
  known.model = map->class_names();
  EXPECT_EQ(*Map(array, known)->Apply(array), (Classes{0, 1, 2, kIgnoredLabel}));
}

TEST(LabelMap, AMaskIsTwoClassesForEveryProgram) {
  const LabelArray mask = Values({0, 255}, 2);
  EXPECT_EQ(*Map(mask)->Apply(mask), (Classes{0, 1}));
  KnownClasses known;
  known.model = Map(mask)->class_names();
  EXPECT_EQ(*Map(mask, known)->Apply(mask), (Classes{0, 1}));
  EXPECT_EQ(Map(mask, known)->ignored(), std::nullopt);
  // A network that has learned masks of 0 and 1, and the other way round.
  const LabelArray bits = Values({0, 1}, 2);
  EXPECT_EQ(*Map(bits, known)->Apply(bits), (Classes{0, 1}));
  known.model = {"0", "1"};
  EXPECT_EQ(*Map(mask, known)->Apply(mask), (Classes{0, 1}));
  EXPECT_EQ(Map(mask, known)->ignored(), std::nullopt);
  // Three labels are no mask: 255 is none of two classes.
  const LabelArray three = Values({0, 1, 255}, 3);
  EXPECT_EQ(*Map(three, known)->Apply(three), (Classes{0, 1, kIgnoredLabel}));
}

TEST(LabelMap, AnyLabelOfPixelsCanBeIgnored) {
  KnownClasses known;
  known.ignored = 0;
  const LabelArray array = Values({0, 1, 2, 1}, 2);
  const auto map = Map(array, known);
  QAT_ASSERT_OK(map);
  EXPECT_EQ(map->class_names(), (Names{"1", "2"}));
  EXPECT_EQ(*map->Apply(array), (Classes{kIgnoredLabel, 0, 1, 0}));
  QAT_EXPECT_ERROR(Map(Values({0, 1, 2, 1}), known), ErrorCode::kInvalidArgument,
                   "`ignore_label`: y holds one label per image");
}

TEST(LabelMap, NamesOfAFileMayBeginAtLabelOne) {
  KnownClasses known;
  known.file_names = {"ant", "bee"};
  known.file = "class_names.txt";
  const auto map = Map(Values({1, 2}), known);
  QAT_ASSERT_OK(map);
  EXPECT_EQ(*map->Apply(Values({2, 1})), (Classes{1, 0}));
  EXPECT_EQ(map->note(), "labels begin at 1: label 1 is class 'ant', label 2 is class 'bee'");
  EXPECT_EQ(*Map(Values({0, 1}), known)->Apply(Values({0, 1})), (Classes{0, 1}));
  QAT_EXPECT_ERROR(Map(Values({0, 2}), known)->Apply(Values({0, 2})), ErrorCode::kCorrupt,
                   "y: example 1: label 2, expected 0 to 1, one of 2 classes");
}

TEST(LabelMap, TextIsAClassByItsName) {
  const LabelArray array = Texts({"owl", "ant", "owl"});
  const auto map = Map(array);
  QAT_ASSERT_OK(map);
  EXPECT_EQ(map->class_names(), (Names{"ant", "owl"}));
  EXPECT_EQ(*map->Apply(array), (Classes{1, 0, 1}));
  KnownClasses known;
  known.model = {"owl", "bee"};
  QAT_EXPECT_ERROR(Map(array, known)->Apply(array), ErrorCode::kCorrupt,
                   "y: example 1: label 'ant', expected one of owl, bee");
}

TEST(LabelMap, OneClassIsNoneToLearn) {
  QAT_EXPECT_ERROR(Map(Values({4, 4})), ErrorCode::kCorrupt,
                   "y: every label is 4, expected at least two classes");
  KnownClasses known;
  known.model = {"0", "4"};
  EXPECT_EQ(*Map(Values({4, 4}), known)->Apply(Values({4, 4})), (Classes{1, 1}))
      << "a test set may lack classes";
}

TEST(LabelMap, AModelWithoutNamesTakesLabelsAsIndices) {
  KnownClasses known;
  known.indices = true;
  EXPECT_EQ(*Map(Values({17, 3, 900}), known)->Apply(Values({17, 3})), (Classes{17, 3}));
  QAT_EXPECT_ERROR(Map(Values({-1, 1}), known)->Apply(Values({-1, 1})), ErrorCode::kCorrupt,
                   "label -1, expected 0 to 1");
}

// Else the labels 1 to 3 would be the outputs 0 to 2 of a network that has learned what its outputs mean.
TEST(LabelMap, LabelsBelowTheScoresOfANetworkAreItsOutputs) {
  KnownClasses known;
  known.scores = 4;
  const auto map = Map(Values({1, 2, 3}), known);
  EXPECT_EQ(*map->Apply(Values({1, 3})), (Classes{1, 3}));
  EXPECT_EQ(map->class_names().size(), 4u);
  EXPECT_EQ(*Map(Values({1, 2, 4}), known)->Apply(Values({1, 4})), (Classes{0, 2})) << "it has no output 4";
}

}  // namespace
}  // namespace qat
