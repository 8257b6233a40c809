#include "base/printable.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  for (const std::string text : {"", "cat", "Käse 90 %", "日本語", "👩‍🔬", "a\\x1b", "-"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(Printable, WritesControlCharactersOut) {
  EXPECT_EQ(Printable("a\x1b[31mred\x07"), "a\\x1b[31mred\\x07");
  EXPECT_EQ(Printable(std::string("nul\0!", 5)), "nul\\x00!");
  EXPECT_EQ(Printable("two\nlines\tand\r\x7f"), "two\\nlines\\tand\\r\\x7f");
  // CSI and NEL in their one-character form, the line separator.
  EXPECT_EQ(Printable("\xc2\x9b"
                      "2J\xc2\x85\xe2\x80\xa8"),
            "\\u009b2J\\u0085\\u2028");
}

TEST(Printable, WritesMarksOfDirectionOut) {
  EXPECT_EQ(Printable("\xe2\x80\xaetxt.exe\xe2\x81\xa6\xd8\x9c"), "\\u202etxt.exe\\u2066\\u061c");
}

TEST(Printable, WritesBytesOutThatAreNoUtf8) {
  EXPECT_EQ(Printable("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");
  EXPECT_EQ(Printable("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(Printable("\x9b"
                      "2J"),
            "\\x9b2J")
      << "CSI of an eight-bit terminal";
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(Printable("\xe2\x82"), "\\xe2\\x82") << "cut off";
}

TEST(PrintableLines, KeepsLineBreaksOnly) {
  EXPECT_EQ(PrintableLines("a: x\nb: y\x1b\r\n"), "a: x\nb: y\\x1b\\r\n");
}

TEST(PrintableMessage, KeepsListsAndWritesLineBreaksOfNamesOut) {
  EXPECT_EQ(PrintableMessage("n.toml: two\n  a: x\n  b: y"), "n.toml: two\n  a: x\n  b: y");
  EXPECT_EQ(PrintableMessage("da\nta/x: is no picture\n"), "da\\nta/x: is no picture\\n");
  EXPECT_EQ(PrintableMessage("a\n b\x1b\n  c\r"), "a\\n b\\x1b\n  c\\r");
}

TEST(FindInvalidUtf8, NamesTheFirstByte) {
  EXPECT_EQ(FindInvalidUtf8("fine, né"), std::string_view::npos);
  EXPECT_EQ(FindInvalidUtf8("ab\xc3(\xff"), 2u);
  EXPECT_EQ(FindInvalidUtf8(""), std::string_view::npos);
}

}  // namespace
}  // namespace qat
