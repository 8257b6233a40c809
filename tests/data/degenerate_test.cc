#include "data/degenerate.h"

#include <gtest/gtest.h>

#include <limits>

#include <numeric>

#include "support/test_util.h"

namespace qat {
namespace {

// `count` images of 2 bytes, image i all i % levels; their labels or numbers are given by the caller.
Dataset Ramp(int count, int levels) {
  Dataset data;
  data.input().height = 1;
  data.input().width = 2;
  data.input().channels = 1;
  data.class_names = {"no", "yes"};
  for (int i = 0; i < count; ++i) data.images.insert(data.images.end(), 2, static_cast<uint8_t>(i % levels));
  return data;
}

std::vector<std::string> Found(const Dataset& data) {
  std::vector<int32_t> all(static_cast<size_t>(data.size()));
  std::iota(all.begin(), all.end(), 0);
  const auto found = FindDegenerate(data, all);
  EXPECT_TRUE(found.ok());
  return *found;
}

TEST(FindDegenerate, IsSilentOnDataThatDiffer) {
  Dataset data = Ramp(400, 100);
  data.labels.assign(400, 0);
  data.labels[399] = 1;
  EXPECT_TRUE(Found(data).empty());
  Dataset numbers = Ramp(400, 2);
  numbers.task = Task::kNumbers;
  numbers.targets = 1;
  numbers.numbers.assign(400, 3.f);
  numbers.numbers[7] = 3.5f;
  EXPECT_TRUE(Found(numbers).empty());
}

TEST(FindDegenerate, NamesTheOnlyClass) {
  Dataset data = Ramp(40, 10);
  data.labels.assign(40, 1);
  EXPECT_EQ(Found(data),
            (std::vector<std::string>{
                "all 40 training examples are of class 'yes', so there is nothing to distinguish"}));
}

TEST(FindDegenerate, NamesTheTargetThatStaysTheSame) {
  Dataset data = Ramp(40, 10);
  data.task = Task::kNumbers;
  data.targets = 2;
  for (int i = 0; i < 40; ++i) data.numbers.insert(data.numbers.end(), {static_cast<float>(i), 290.5f});
  EXPECT_EQ(Found(data),
            (std::vector<std::string>{
                "target 1 is 290.5 in all 40 training examples, so there is nothing to learn about it"}));
}

TEST(FindDegenerate, NamesInputsThatAreAllAlike) {
  Dataset few = Ramp(40, 1), many = Ramp(5000, 1);
  few.labels.assign(40, 0);
  few.labels[3] = 1;
  many.labels.assign(5000, 0);
  many.labels[3] = 1;
  ASSERT_EQ(Found(few).size(), 1u);
  EXPECT_EQ(Found(few)[0], "all 40 training inputs are the same, so nothing can be learned from them");
  ASSERT_EQ(Found(many).size(), 1u);
  EXPECT_NE(Found(many)[0].find("256 training inputs that were looked at, of 5000"), std::string::npos);
}

TEST(FindDegenerate, NamesNumbersThatFloat32CannotTellApart) {
  Dataset data;
  data.input() = {1, 1, 2, ValueType::kReal, {2}, "", {"time", "load"}};
  data.class_names = {"no", "yes"};
  for (int i = 0; i < 100; ++i) {
    const float row[] = {1.7e9f + 60.f * static_cast<float>(i), 0.01f * static_cast<float>(i)};
    const auto* bytes = reinterpret_cast<const uint8_t*>(row);
    data.images.insert(data.images.end(), bytes, bytes + sizeof(row));
    data.labels.push_back(i % 2);
  }
  ASSERT_EQ(Found(data).size(), 1u);
  EXPECT_NE(Found(data)[0].find("column 'time' runs from 1.7e+09 to 1700005888, where float32 has steps of "
                                "128: what is finer is lost"),
            std::string::npos)
      << Found(data)[0];
}

TEST(FindDegenerate, NamesTargetsThatFloat32CannotTellApart) {
  const auto found = [](float offset, float step) {
    Dataset data;
    data.input() = {1, 1, 1, ValueType::kReal, {1}, "", {"x"}};
    data.task = Task::kNumbers;
    data.targets = {1};
    for (int i = 0; i < 40; ++i) {
      const float x = 0.01f * static_cast<float>(i);
      const auto* bytes = reinterpret_cast<const uint8_t*>(&x);
      data.images.insert(data.images.end(), bytes, bytes + sizeof(x));
      data.numbers.push_back(offset + step * static_cast<float>(i));
    }
    return Found(data);
  };
  EXPECT_TRUE(found(20, 1).empty());
  ASSERT_EQ(found(1e8f, 1).size(), 1u);
  EXPECT_NE(found(1e8f, 1)[0].find("the target runs from 1e+08 to 100000040, where float32 has steps of 8"),
            std::string::npos)
      << found(1e8f, 1)[0];
  ASSERT_EQ(found(1.7e9f, 0).size(), 1u);
  EXPECT_NE(found(1.7e9f, 0)[0].find("as far as float32 tells, which has steps of 128 there"),
            std::string::npos)
      << found(1.7e9f, 0)[0];
  EXPECT_NE(found(3, 0).at(0).find("so there is nothing to learn about it"), std::string::npos);
}

TEST(FindDegenerate, LeavesOutNumbersThatAreNotKnown) {
  const auto found = [](const std::vector<float>& numbers) {
    Dataset data;
    data.input() = {1, 1, 1, ValueType::kReal, {1}, "", {"x"}};
    data.task = Task::kNumbers;
    data.targets = {1};
    data.numbers = numbers;
    for (size_t i = 0; i < numbers.size(); ++i) {
      const auto x = static_cast<float>(i);
      const auto* bytes = reinterpret_cast<const uint8_t*>(&x);
      data.images.insert(data.images.end(), bytes, bytes + sizeof(x));
    }
    return Found(data);
  };
  const float unknown = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(found({unknown, 1, 2, unknown, 3}).empty());
  EXPECT_TRUE(found({unknown, unknown}).empty());
  ASSERT_EQ(found({unknown, 1e8f, unknown, 1e8f + 8}).size(), 1u);
  EXPECT_NE(found({unknown, 1e8f, unknown, 1e8f + 8})[0].find("where float32 has steps of 8"),
            std::string::npos);
  EXPECT_NE(found({3, unknown, 3}).at(0).find("so there is nothing to learn about it"), std::string::npos);
}

TEST(ClassesOnlyInTest, NamesThem) {
  OutputLabels train, test;
  train.class_names = test.class_names = {"cat", "dog", "eel", "fox"};
  train.labels = {0, 2, 0};
  test.labels = {0, 1, 3, 3, 2};
  EXPECT_EQ(ClassesOnlyInTest(train, test),
            "classes 'dog', 'fox' have no training example and 3 test examples, which can only be answered "
            "wrongly: are the splits of the "
            "same data?");
  test.labels = {0, 0, kIgnoredLabel};
  EXPECT_EQ(ClassesOnlyInTest(train, test), "") << "a class without any example is another matter";
  train.task = Task::kNumbers;
  test.labels = {1};
  EXPECT_EQ(ClassesOnlyInTest(train, test), "");
}

}  // namespace
}  // namespace qat
