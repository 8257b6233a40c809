#include "data/csv_table.h"

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "data/dataset.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

std::vector<float> Floats(const NpyArray& array) {
  std::vector<float> values(array.values.size() / sizeof(float));
  std::memcpy(values.data(), array.values.data(), array.values.size());
  return values;
}

TEST(ParseCsv, ReadsFeaturesAndAnswers) {
  for (const char* text : {"a,b,label\n1,2.5,cat\n-3,4e2,dog\n",
                           "\xef\xbb\xbf"
                           "a;b;label\r\n1;2.5;cat\r\n\r\n-3;4e2;dog",
                           "a\tb\tlabel\n1\t 2.5\tcat\n-3\t+4e2\t dog\n",
                           "\"a\",\"b\",label\n\"1\",2.5,\"cat\"\n-3 , 4e2,dog\n"}) {
    const auto table = ParseCsv(text, "t.csv", {});
    QAT_ASSERT_OK(table);
    EXPECT_EQ(table->features, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(table->label, "label");
    EXPECT_EQ(table->x.shape, (Shape{2, 2}));
    EXPECT_EQ(Floats(table->x), (std::vector<float>{1, 2.5f, -3, 400}));
    EXPECT_EQ(table->y.texts, (std::vector<std::string>{"cat", "dog"}));
  }
}

TEST(ParseCsv, TakesSeparatorsQuotesAndLineBreaksInQuotedCells) {
  const auto table =
      ParseCsv("x,\"the, \"\"best\"\"\"\n1,\"a,\nb\"\n2,c\n", "t.csv", {"the, \"best\"", false});
  QAT_ASSERT_OK(table);
  EXPECT_EQ(table->y.texts, (std::vector<std::string>{"a,\nb", "c"}));
}

TEST(ParseCsv, TakesLinesOfOldSpreadsheetsAndNumbersNextToZero) {
  const auto table = ParseCsv("a,label\r1e-400,x\r-2E-999,y\r", "t.csv", {});
  QAT_ASSERT_OK(table);
  EXPECT_EQ(Floats(table->x), (std::vector<float>{0, 0}));
  EXPECT_EQ(table->y.texts, (std::vector<std::string>{"x", "y"}));
  QAT_EXPECT_ERROR(ParseCsv("a,label\n1e400,x\n2,y\n", "t.csv", {}), ErrorCode::kCorrupt,
                   "t.csv: line 2, column 'a' is '1e400'");
}

TEST(ParseCsv, TellsClassesFromNumbers) {
  EXPECT_EQ(ParseCsv("x,y\n1,0\n2,1\n", "t", {})->y.type, DType::kInt64);
  EXPECT_EQ(ParseCsv("x,y\n1,0.5\n2,1\n", "t", {})->y.type, DType::kFloat64);
  EXPECT_EQ(ParseCsv("x,y\n1,0.5\n2,b\n", "t", {})->y.type, DType::kString);
}

TEST(ParseCsv, SeveralColumnsMayHoldTheAnswers) {
  const auto table = ParseCsv("a,wet,b,warm\n5,1,6,0\n7,0,8,1\n", "t", {"warm, wet"});
  QAT_ASSERT_OK(table);
  EXPECT_EQ(table->features, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table->labels, (std::vector<std::string>{"warm", "wet"}));
  EXPECT_EQ(table->label, "warm,wet");
  const auto* answers = reinterpret_cast<const int64_t*>(table->y.values.data());
  EXPECT_EQ(std::vector<int64_t>(answers, answers + 4), (std::vector<int64_t>{0, 1, 1, 0}));
  EXPECT_EQ(table->y.shape, (Shape{2, 2}));
  EXPECT_EQ(table->y.type, DType::kInt64);
  QAT_EXPECT_ERROR(ParseCsv("a,x,y\n1,2,3\n4,5,six\n", "t", {"x,y"}), ErrorCode::kCorrupt,
                   "t: row 2, column 'y' is 'six', expected a number where several columns are the answers");
  QAT_EXPECT_ERROR(ParseCsv("a,x,y\n1,2,3\n", "t", {"x,z"}), ErrorCode::kInvalidArgument,
                   "has no column 'z'");
}

TEST(ParseCsv, LeavesNumbersOfRowsOut) {
  const auto table = ParseCsv(",x,y\n0,5,1\n1,6,0\n", "t", {});
  QAT_ASSERT_OK(table);
  EXPECT_EQ(Floats(table->x), (std::vector<float>{5, 6}));
  EXPECT_EQ(table->notes.size(), 1u);
}

TEST(ParseCsv, ReadsTheFeaturesAskedForByTheirNames) {
  CsvRequest request = {"kind"};
  request.features = {"mass", "height", "age"};
  const auto table = ParseCsv("age,note,kind,height,mass\n1,ok,cat,2,3\n4,,dog,5,6\n", "t.csv", request);
  QAT_ASSERT_OK(table);
  EXPECT_EQ(table->features, request.features);
  EXPECT_EQ(Floats(table->x), (std::vector<float>{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(table->y.texts, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(table->notes,
            (std::vector<std::string>{
                "columns stand in another order than the network takes; they are read by their names",
                "left out: note, beside the columns that the network takes"}));
  QAT_EXPECT_ERROR(ParseCsv("Mass,height,age,kind\n1,2,3,cat\n", "t.csv", request), ErrorCode::kCorrupt,
                   "t.csv: has no column 'mass', which the network takes, but one called 'Mass': rename it "
                   "if that is the one");
  QAT_EXPECT_ERROR(ParseCsv("mass,width,kind\n1,2,cat\n", "t.csv", request), ErrorCode::kCorrupt,
                   "t.csv: has no column 'height', which the network takes");
  request.label = "age";
  QAT_EXPECT_ERROR(ParseCsv("mass,height,age\n1,2,3\n", "t.csv", request), ErrorCode::kInvalidArgument,
                   "`label`: column 'age' of t.csv is among the features that the network takes");
}

TEST(ParseCsv, TheFeatureThatIsCalledAsAnswersUsuallyAreIsNone) {
  CsvRequest request;
  request.features = {"x", "y"};
  const auto table = ParseCsv("y,x,class\n1,2,cat\n", "t.csv", request);
  QAT_ASSERT_OK(table);
  EXPECT_EQ(Floats(table->x), (std::vector<float>{2, 1}));
  EXPECT_EQ(table->label, "class");
}

TEST(ParseCsv, NamesLineColumnAndValue) {
  const auto refuses = [](const char* text, const char* message, const CsvRequest& request = {}) {
    QAT_EXPECT_ERROR(ParseCsv(text, "t.csv", request), ErrorCode::kCorrupt, message);
  };
  refuses("x,y\n1,0\nred,1\n",
          "t.csv: line 3, column 'x' is 'red', expected a number: make numbers of it, or leave the column "
          "out (training: `leave_out`)");
  refuses("x,y\n1,0\n,1\n", "t.csv: line 3, column 'x' is empty, expected a value");
  refuses("x,y\n1,0\nNA,1\n", "t.csv: line 3, column 'x' is 'NA', expected a value");
  refuses("x,y\n1,0\n2\n", "t.csv: line 3 has 1 cell, expected 2 as the header has");
  refuses("x,y\n1,0\n2,3,4\n", "t.csv: line 3 has 3 cells, expected 2");
  refuses("x\ty\n1,5\t0\n",
          "t.csv: line 2, column 'x' is '1,5', expected a number: write decimals with a point");
  refuses(
      "x;z;y\n1,5;2;0\n2;1.5;0\n",
      "t.csv: line 3, column 'z' is '1.5', expected a number: decimals have a comma elsewhere in the table");
  refuses("x;z;y\n1.5;2;0\n2;1,5;0\n",
          "t.csv: line 3, column 'z' is '1,5', expected a number: decimals have a comma elsewhere in the "
          "table, or a point");
  refuses("1,2\n3,4\n", "the first line holds numbers only, expected the names of the columns");
  refuses("x,x,y\n1,2,3\n", "two columns are called 'x'");
  refuses("x,\"y\n1,2\n", "line 1: a quoted cell does not end");
  refuses("x,y\n\"1\"2,0\n", "line 2: '2' follows a quoted cell");
  refuses("x,y\n", "holds a header and no row");
  refuses("", "is empty, expected a line with the names of the columns");
  refuses("y\n1\n", "has no column beside 'y'");
  refuses("x,y\n1e60,0\n", "column 'x' is 1e60, expected a finite number");
  QAT_EXPECT_ERROR(ParseCsv("a,b\n1,2\n", "t.csv", {}), ErrorCode::kInvalidArgument,
                   "which column holds the answers? Name it by `label`, or call it label, class, target or y "
                   "in the first line");
  QAT_EXPECT_ERROR(ParseCsv("a,mass\n1,2\n", "t.csv", {"mas", false}), ErrorCode::kInvalidArgument,
                   "did you mean 'mass'?");
}

// Where answers are not needed, text needs no name to be left out.
TEST(ParseCsv, TextIsNoFeatureWhereAnswersAreNotNeeded) {
  CsvRequest request;
  request.unlabelled = true;
  const auto table = ParseCsv("a,state,b\n1,hot,2\n3,cold,4\n", "t.csv", request);
  QAT_ASSERT_OK(table);
  EXPECT_EQ(table->features, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(table->notes.size(), 1u);
  EXPECT_EQ(table->notes[0],
            "column 'state' holds text and is left out, as answers are, which are not needed here");
  QAT_EXPECT_ERROR(ParseCsv("a,b\n1,2\nred,3\n", "t.csv", request), ErrorCode::kCorrupt,
                   "line 3, column 'a' is 'red', expected a number");
}

TEST(ParseCsv, LeavesColumnsOutAsAsked) {
  const std::string text = "when,a,y,b,class\n2024-01-01,1,5,2,x\n2024-01-02,3,6,4,z\n";
  CsvRequest request;
  request.left_out = {"when", "y"};
  const auto table = ParseCsv(text, "t.csv", request);
  QAT_ASSERT_OK(table);
  EXPECT_EQ(table->features, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table->label, "class");
  EXPECT_EQ(Floats(table->x), (std::vector<float>{1, 2, 3, 4}));
  request.features = table->features;
  QAT_ASSERT_OK(ParseCsv("b,class,a\n2,x,1\n", "test.csv", request));
  request.features.clear();
  request.left_out = {"wen"};
  QAT_EXPECT_ERROR(ParseCsv(text, "t.csv", request), ErrorCode::kInvalidArgument,
                   "`leave_out`: t.csv has no column 'wen'; did you mean 'when'?");
  request.left_out = {"class"};
  request.label = "class";
  QAT_EXPECT_ERROR(ParseCsv(text, "t.csv", request), ErrorCode::kInvalidArgument,
                   "`leave_out`: column 'class' of t.csv holds the answers");
}

TEST(SplitColumns, AreNamesThatMayHaveCommas) {
  using Strings = std::vector<std::string>;
  const Strings columns = {"a", "rain, heavy", "wind", "rain", "x,y,z"};
  EXPECT_EQ(SplitColumns("rain, heavy,wind", columns), (Strings{"rain, heavy", "wind"}));
  EXPECT_EQ(SplitColumns("wind,rain,heavy", columns), (Strings{"wind", "rain, heavy"}));
  EXPECT_EQ(SplitColumns("rain, wind", columns), (Strings{"rain", "wind"}));
  EXPECT_EQ(SplitColumns("x,y,z", columns), Strings{"x,y,z"});
  EXPECT_EQ(SplitColumns("x,y", columns), (Strings{"x", "y"})) << "told as it was asked";
}

TEST(ParseCsv, SeveralAnswersMayHaveCommasInTheirNames) {
  const std::string text = "a,\"rain, heavy\",wind\n1,0,1\n2,1,0\n3,1,1\n";
  const auto table = ParseCsv(text, "t.csv", {"rain, heavy,wind"});
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(table->labels, (std::vector<std::string>{"rain, heavy", "wind"}));
  EXPECT_EQ(table->features, std::vector<std::string>{"a"});
}

TEST(ParseCsv, TakesTheSeparatorOfAFirstLine) {
  const auto table = ParseCsv("sep=;\r\na,b;label\r\n1;0\r\n2;1\r\n", "t.csv", {});
  QAT_ASSERT_OK(table);
  EXPECT_EQ(table->features, std::vector<std::string>{"a,b"});
  QAT_EXPECT_ERROR(ParseCsv("sep=;\nx;y\n1;0\nred;1\n", "t.csv", {}), ErrorCode::kCorrupt,
                   "t.csv: line 4, column 'x' is 'red'");
}

TEST(ParseCsv, DecimalsMayHaveACommaBetweenSemicolons) {
  const auto table = ParseCsv("x;y\n1,5;-0,25\n2;1\n-3e2;2\n", "t.csv", {});
  QAT_ASSERT_OK(table);
  EXPECT_EQ(Floats(table->x), (std::vector<float>{1.5f, 2, -300}));
  EXPECT_EQ(table->y.type, DType::kFloat64);
  double first;
  std::memcpy(&first, table->y.values.data(), sizeof(first));
  EXPECT_EQ(first, -0.25);
  EXPECT_EQ(table->notes, std::vector<std::string>{"decimals are written with a comma"});
}

TEST(ParseCsv, AnswersHaveOneSignForDecimalsToo) {
  QAT_EXPECT_ERROR(ParseCsv("x;y\n1;1,5\n2;2.5\n", "t.csv", {}), ErrorCode::kCorrupt,
                   "t.csv: column 'y' holds '2.5', decimals have a comma elsewhere in the table");
}

TEST(ParseCsv, ThousandsAreNoDecimals) {
  for (const char* text : {"price;n;label\n2.932;6;a\n950;3;b\n1.020;4;a\n12.500;4;a\n",
                           "price;n;label\n2,932;6;a\n950;3;b\n1,020;4;a\n12,500;4;a\n"})
    QAT_EXPECT_ERROR(ParseCsv(text, "t.csv", {}), ErrorCode::kCorrupt,
                     std::string("t.csv: column 'price' holds '2") + text[15] +
                         "932' beside whole numbers below 1000, which would be thousands, expected numbers "
                         "without a sign for them: write 2932, or all numbers of the column with decimals");
  QAT_EXPECT_ERROR(ParseCsv("x,y\n1,2.932\n2,950\n3,1.020\n4,1.100\n", "t.csv", {}), ErrorCode::kCorrupt,
                   "column 'y' holds '2.932' beside whole numbers");
  QAT_EXPECT_ERROR(ParseCsv("x,y,z\n1,7,2.932\n2,7,950\n3,7,1.020\n4,7,1.100\n", "t.csv", {"y,z"}),
                   ErrorCode::kCorrupt, "column 'z' holds '2.932' beside whole numbers");
  QAT_EXPECT_ERROR(
      ParseCsv("x,y\n1,\"1,234\"\n2,\"12,345,678\"\n3,17\n", "t.csv", {}), ErrorCode::kCorrupt,
      "t.csv: column 'y' holds '1,234', expected a number without a sign for thousands: write 1234");
}

TEST(ParseCsv, DecimalsOfThreePlacesAreNoThousands) {
  for (const char* column : {"2.932\n950.000\n1.020\n1.100\n",  // every number has them
                             "2.932\n950\n1.020\n1.10\n",       // others have fewer
                             "2.932\n950\n1.020\n0.100\n",      // no thousand begins with 0
                             "2.932\n1950\n1.020\n1.100\n",     // a thousand without a sign
                             "2.932\n950\n1.020\n"})            // two of them may be chance
  {
    const std::vector<std::string> rows = SplitText(column, '\n');
    std::string text = "x,label\n";
    for (const std::string& row : rows) text += row.empty() ? "" : row + ",a\n";
    QAT_ASSERT_OK(ParseCsv(text, "t.csv", {}));
  }
}

TEST(ReadRows, LeavesAnswersOut) {
  testing::TempDir files;
  testing::WriteText(files / "new.csv", "label,b,a\n,2,1\n,4,3\n");
  for (const std::vector<std::string>& features :
       {std::vector<std::string>{"a", "b"}, std::vector<std::string>()}) {
    const auto table = ReadRows(files / "new.csv", features);
    QAT_ASSERT_OK(table);
    EXPECT_EQ(Floats(table->x),
              features.empty() ? (std::vector<float>{2, 1, 4, 3}) : (std::vector<float>{1, 2, 3, 4}));
    EXPECT_EQ(table->label, "");
  }
  testing::WriteText(files / "new.csv", "kind,b,a\n,2,1\n");
  EXPECT_EQ(ReadRows(files / "new.csv", {"a", "b"})->notes.back(),
            "left out: kind, beside the columns that the network takes");
}

TEST(ParseCsv, OfAModelNamesNoFeatureForTheAnswers) {
  CsvRequest request = {"p"};
  request.features = {"pos", "x"};
  QAT_EXPECT_ERROR(ParseCsv("pos,x\n1,2\n", "t.csv", request), ErrorCode::kInvalidArgument,
                   "`label`: t.csv has no column 'p', which held the answers in training, expected one: rows "
                   "without answers can be classified or run");
}

TEST(ParseCsv, OneNumberInTwoSpellingsIsNoTwoClassesAndNotOne) {
  QAT_EXPECT_ERROR(
      ParseCsv("x,y\n1,7\n2,007\n", "t.csv", {}), ErrorCode::kCorrupt,
      "t.csv: column 'y' holds '7' and '007', which are one number, expected one spelling for each class");
  QAT_ASSERT_OK(ParseCsv("x,y\n1,01\n2,02\n3,10\n", "t.csv", {}));
  QAT_ASSERT_OK(ParseCsv("x,y\n1,1\n2,1.0\n3,2.5\n", "t.csv", {}));
}

TEST(ReadCsv, IsUtf8) {
  testing::TempDir files;
  testing::WriteText(files / "latin.csv", "x,y\n1,caf\xe9\n2,tea\n");
  QAT_EXPECT_ERROR(
      ReadCsv(files / "latin.csv", {}), ErrorCode::kCorrupt,
      "latin.csv: line 2 holds the byte \\xe9, which is not UTF-8, expected a text file in UTF-8");
}

TEST(OpenDataset, ReadsTables) {
  testing::TempDir files;
  std::string text = "width,height,species\n";
  for (int i = 0; i < 40; ++i) text += StrCat(i, ",", 100 - i, i % 2 == 0 ? ",iris\n" : ",rose\n");
  testing::WriteText(files / "flowers.csv", text);
  OpenOptions options;
  options.label = "species";
  const auto train = OpenDataset(files / "flowers.csv", Split::kTrain, options);
  QAT_ASSERT_OK(train);
  const auto test = OpenDataset(files / "flowers.csv", Split::kTest, options);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(train->size() + test->size(), 40);
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"iris", "rose"}));
  EXPECT_EQ(train->input().channels, 2);
  EXPECT_EQ(train->input().values, ValueType::kReal);
  EXPECT_EQ(train->label_column, "species");
  float first[2];
  std::memcpy(first, test->Image(0).data(), sizeof(first));
  EXPECT_EQ(first[0] + first[1], 100);
  EXPECT_EQ(test->labels[0], static_cast<int32_t>(first[0]) % 2);
  options.whole = true;
  const auto whole = OpenDataset(files / "flowers.csv", Split::kTest, options);
  QAT_ASSERT_OK(whole);
  EXPECT_EQ(whole->size(), 40);
  EXPECT_NE(Join(whole->notes).find("all examples are taken, as asked for"), std::string::npos);
  EXPECT_EQ(OpenDataset(files / "flowers.csv", Split::kTrain, options)->size(), train->size());
  options.whole = false;
  testing::WriteText(files / "LOUD.CSV", text);
  const auto loud = OpenDataset(files / "LOUD.CSV", Split::kTrain, options);
  QAT_ASSERT_OK(loud);
  EXPECT_EQ(loud->images, train->images);
}

TEST(OpenDataset, TablesOfAFolderAreReadAsThatOfTraining) {
  testing::TempDir files;
  testing::WriteText(files / "train.csv", "a,b,label\n1,2,0\n3,4,1\n");
  testing::WriteText(files / "test.csv", "label,b,a\n1,6,5\n");
  const auto test = OpenDataset(files.path(), Split::kTest, {});
  QAT_ASSERT_OK(test);
  float row[2];
  std::memcpy(row, test->Image(0).data(), sizeof(row));
  EXPECT_EQ(row[0], 5);
  EXPECT_EQ(row[1], 6);
  EXPECT_EQ(test->input().features, (std::vector<std::string>{"a", "b"}));
  const std::string note =
      "test.csv: columns stand in another order than train.csv has; they are read by their names";
  EXPECT_NE(std::find(test->notes.begin(), test->notes.end(), note), test->notes.end())
      << Join(test->notes, "\n");
  testing::WriteText(files / "test.csv", "label,b\n1,6\n");
  QAT_EXPECT_ERROR(OpenDataset(files.path(), Split::kTest, {}), ErrorCode::kCorrupt,
                   "test.csv: has no column 'a', which train.csv has");
}

}  // namespace
}  // namespace qat
