#include "base/named_lists.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

using Lists = std::map<std::string, std::string>;

TEST(NamedLists, ANameBeginsAListThatEndsBeforeTheNext) {
  EXPECT_EQ(ParseNamedLists("left=125.3, 123,113.9,right=0"),
            (Lists{{"left", "125.3,123,113.9"}, {"right", "0"}}));
  EXPECT_EQ(ParseNamedLists("x=dataset"), (Lists{{"x", "dataset"}}));
}

TEST(NamedLists, RefusesListsWithoutANameAndNamesTwice) {
  for (const char* text : {"", "1,2", "1,left=2", "=2", "left=1,left=2"})
    EXPECT_FALSE(ParseNamedLists(text)) << text;
  EXPECT_FALSE(HasNames("1,2"));
  EXPECT_TRUE(HasNames("a=1"));
}

}  // namespace
}  // namespace qat
