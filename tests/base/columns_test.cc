#include "base/columns.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

using Rows = std::vector<std::vector<std::string>>;

TEST(AlignColumns, MakesColumnsAsWideAsTheirWidestCell) {
  const Rows rows = {{"name", "bytes", "type"}, {"a", "1,024", "int8"}, {"longer", "7"}, {"", "", ""}};
  EXPECT_EQ(AlignColumns(rows),
            "name    bytes  type\n"
            "a       1,024  int8\n"
            "longer  7\n"
            "\n");
  EXPECT_EQ(AlignColumns(rows, {1}, "  "),
            "  name    bytes  type\n"
            "  a       1,024  int8\n"
            "  longer      7\n"
            "\n");
  EXPECT_EQ(AlignColumns({}), "");
}

}  // namespace
}  // namespace qat
