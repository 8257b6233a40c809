// The commands of qat-eval and their old spellings, names of outputs, and the files that shells and man(1)
// take, by the real programs.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "data/npy.h"
#include "support/bmp.h"
#include "support/places.h"
#include "support/subprocess.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

using testing::ReadText;
using testing::RunTool;
using Words = std::vector<std::string>;

class Commands : public ::testing::Test {
 protected:
  Commands() {
    const NpyArray input{DType::kUInt8, {5, 4, 4, 1}, Bytes(80, 200)};
    EXPECT_TRUE(WriteFile(files_ / "x.npy", Serialize(input)).ok());
    testing::WriteText(files_ / "grey.bmp", testing::GreyBmp(4, 4, std::vector<uint8_t>(16, 200)));
    EXPECT_EQ(RunTool("qat-convert", {files_.graph(), "-o", model_}).exit_code, 0);
    EXPECT_EQ(RunTool("qat-eval", {"trace", model_, "--json", report_}).exit_code, 0);
  }

  testing::TinyFiles files_;
  const std::string model_ = files_ / "m.tflite", report_ = files_ / "r.json";
};

TEST_F(Commands, OldSpellingsDoWhatTheCommandsDoAndSayHowTheyAreSpelledNow) {
  const std::vector<std::pair<Words, Words>> cases = {
      {{"--model", model_, "--image", files_ / "grey.bmp"},
       {"classify", "--model", model_, "--image", files_ / "grey.bmp"}},
      {{"--input", files_ / "x.npy", "--save-outputs", files_ / "y.npy", "--model=" + model_},
       {"run", "--input", files_ / "x.npy", "--save-outputs", files_ / "y.npy", "--model=" + model_}},
      {{"--trace", model_}, {"trace", model_}},
      {{"--trace=" + model_}, {"trace", model_}},
      {{"--report", report_, "--markdown", "-"}, {"report", report_, "--markdown", "-"}},
      {{"--schema"}, {"report", "--schema"}},
  };
  for (const auto& [old, now] : cases) {
    const auto before = RunTool("qat-eval", old), after = RunTool("qat-eval", now);
    EXPECT_EQ(before.exit_code, 0) << before.err;
    EXPECT_EQ(before.out, after.out);
    std::string spelled = "qat-eval: hint: this is now spelled: qat-eval";
    for (const std::string& word : now) spelled += " " + word;
    EXPECT_EQ(before.err.substr(0, before.err.find('\n')), spelled);
    EXPECT_EQ(after.err.find("hint"), std::string::npos) << after.err;
  }
  const auto bench =
      RunTool("qat-eval", {"--bench", "--model", model_, "--repeat", "2", "--progress", "none"});
  EXPECT_EQ(bench.exit_code, 0) << bench.err;
  EXPECT_EQ(bench.err, "qat-eval: hint: this is now spelled: qat-eval bench --model " + model_ +
                           " --repeat 2 --progress none\n");
}

TEST_F(Commands, TakeModelsAsArguments) {
  const Words common = {"--data", files_.data(), "--litert", "off", "--progress", "none", "--repeat", "0"};
  const auto compare = [&](Words words) {
    words.insert(words.end(), common.begin(), common.end());
    words.insert(words.end(), {"--json", "-"});
    const auto result = RunTool("qat-eval", words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    Words names;
    const auto report = nlohmann::json::parse(result.out);
    for (const auto& model : report["models"]) names.push_back(model["name"]);
    return names;
  };
  const Words both = {"graph", model_};
  EXPECT_EQ(compare({"compare", model_, files_.graph()}), both) << "a frozen graph is known by its bytes";
  EXPECT_EQ(compare({files_.graph(), "--model", model_}), both)
      << "compare is what is meant where no command is named";
  EXPECT_EQ(compare({"--graph", files_.graph(), "--model", model_}), both);
}

TEST_F(Commands, RunPrintsTheOutputsWhereNoFileIsGiven) {
  const auto result = RunTool("qat-eval", {"run", model_, "--input", files_ / "x.npy"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("uint8 [5, 3]\n  "), std::string::npos) << result.out;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 6) << result.out;
}

TEST_F(Commands, TakeOnlyTheFlagsThatTheyUse) {
  const std::vector<std::pair<Words, std::string>> cases = {
      {{"bench", model_, "--max-drop", "1"},
       "--max-drop: is a flag of 'qat-eval compare', not of 'qat-eval bench'"},
      {{"--bench", "--model", model_, "--data", "digits"},
       "--data: is a flag of 'qat-eval compare', not of 'qat-eval bench'"},
      {{"compare", model_, "--operators"},
       "--operators: is a flag of 'qat-eval bench', not of 'qat-eval compare'"},
      {{"trace", model_, "--bench"}, "--bench: is a command now: qat-eval bench"},
      {{"bnech", model_}, "unknown command 'bnech'; did you mean 'bench'?"},
      {{"run", model_, "other.tflite", "--input", "x.npy"}, "unexpected argument 'other.tflite'"},
      {{"classify", model_}, "expected a model and pictures"},
      {{"run", "--input", files_ / "x.npy"}, "expected one model: one of --model, or --graph"},
      {{"bench"}, "nothing to measure: give --model or --graph"},
      {{"trace"}, "expected a model"},
      {{"report"}, "expected a JSON report"},
  };
  for (const auto& [words, message] : cases) {
    const auto result = RunTool("qat-eval", words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_NE(result.err.find(message), std::string::npos) << "'" << message << "' in " << result.err;
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(Commands, FieldsOfTheLibraryAreFlagsInEveryMessage) {
  const auto ratio = RunTool("qat-eval", {"--data", files_.data(), model_, "--max-drop", "1"});
  EXPECT_NE(
      ratio.err.find("give --float, --checkpoint, --graph, a second --model, or a --baseline of a model "
                     "with the same outputs"),
      std::string::npos)
      << ratio.err;
  const auto rounds = RunTool("qat-eval", {"bench", model_, "--repeat", "0"});
  EXPECT_NE(rounds.err.find("--repeat: value 0"), std::string::npos) << rounds.err;
  const auto append =
      RunTool("qat-convert", {files_.graph(), "--append", "sigmoid", "-o", files_ / "s.tflite"});
  EXPECT_EQ(append.err.find("--append: --append:"), std::string::npos) << append.err;
  for (const auto* result : {&ratio, &rounds, &append})
    EXPECT_EQ(result->err.find('`'), std::string::npos) << result->err;
}

TEST_F(Commands, OutputsWhoseNameSaysAnotherFormatAreRefused) {
  const std::vector<std::tuple<std::string, Words, std::string>> cases = {
      {"qat-convert",
       {files_.graph(), "-o", files_ / "o.onnx"},
       "an ONNX model, but a TFLite model is written"},
      {"qat-convert", {files_.graph(), "-o", files_ / "o.json"}, "choose a name that ends in .tflite"},
      {"qat-convert", {files_.graph(), "-o", files_ / "o.H5"}, "an HDF5 file"},
      {"qat-freeze",
       {files_ / "none", "-o", files_ / "o.tflite"},
       "a TFLite model, but a frozen graph is written"},
      {"qat-eval", {"report", report_, "--html", files_ / "o.json"}, "--html: "},
      {"qat-eval", {"report", report_, "--junit", files_ / "o.html"}, "--junit: "},
      {"qat-eval", {"run", model_, "--input", files_ / "x.npy", "-o", files_ / "o.csv"}, "--save-outputs: "},
      {"qat-eval", {"trace", model_, "--json", files_ / "o.html"}, "--json: "},
  };
  const auto before = testing::FilesIn(files_.path());
  for (const auto& [tool, words, message] : cases) {
    const auto result = RunTool(tool, words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_NE(result.err.find(message), std::string::npos) << result.err;
  }
  EXPECT_EQ(testing::FilesIn(files_.path()), before);
}

TEST_F(Commands, ConvertWritesCSourceWhereTheNameSaysSo) {
  const auto result = RunTool("qat-convert", {files_.graph(), "-o", files_ / "model.cc"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find(", as C source\n"), std::string::npos) << result.out;
  const std::string source = ReadText(files_ / "model.cc");
  EXPECT_NE(source.find("const unsigned char model[] = {\n  0x"), std::string::npos) << source.substr(0, 400);
  EXPECT_NE(source.find("model_len = " + std::to_string(ReadText(model_).size()) + ";"), std::string::npos);
}

// "        --type) words='uint8 int8'; files=yes ;;": the words of a flag.
std::vector<std::string> WordsOf(const std::string& completion, const std::string& flag) {
  const std::string begin = "        " + flag + ") words='";
  const size_t at = completion.find(begin);
  if (at == std::string::npos) return {};
  const size_t end = completion.find('\'', at + begin.size());
  return SplitText(completion.substr(at + begin.size(), end - at - begin.size()), ' ');
}

// What completion offers is taken, and the message about another value names all of it.
TEST(HelpFiles, OfferTheTypesThatAreTaken) {
  testing::TempDir dir;
  const auto words = WordsOf(RunTool("qat-convert", {"--help-as", "bash"}).out, "--type");
  ASSERT_EQ(words.size(), 9u);
  const auto wrong = RunTool("qat-convert", {"no.qgraph", "--type", "int7", "-o", dir / "m.tflite"});
  for (const std::string& word : words) {
    EXPECT_NE(wrong.err.find(word), std::string::npos) << word << ": " << wrong.err;
    const auto named = RunTool("qat-convert", {"no.qgraph", "--type", word, "-o", dir / "m.tflite"});
    EXPECT_EQ(named.err.find("--type"), std::string::npos) << named.err;
  }
}

#ifdef QAT_HAS_TRAIN
TEST(HelpFiles, OfferTheValuesOfRecipesThatAreTaken) {
  const std::string completion = RunTool("qat-train", {"--help-as", "bash"}).out;
  std::vector<std::string> flags = {"--print-config", "--preset", "lenet"};
  for (const std::string flag : {"--scheme", "--optimizer", "--schedule", "--task", "--layout", "--fit",
                                 "--network", "--filter-ranges", "--activation-ranges"}) {
    const auto words = WordsOf(completion, flag);
    ASSERT_GE(words.size(), 2u) << flag;
    // Learned ranges are for int8, which is not the last one.
    flags.insert(flags.end(), {flag, flag == "--scheme" ? words[1] : words.back()});
  }
  EXPECT_GE(WordsOf(completion, "--preset").size(), 3u);
  const auto printed = RunTool("qat-train", flags);
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
}
#endif

// The files in build/share are what the programs print, and the shells take them.
TEST(HelpFiles, AreWithoutFault) {
  testing::TempDir dir;
  for (const std::string program : {"qat-freeze", "qat-convert", "qat-eval"}) {
    const std::string share = std::string(testing::kBinaryDir) + "/share/";
    const std::vector<std::tuple<std::string, std::string, std::string>> forms = {
        {"man", "man/man1/" + program + ".1", "mandoc -T lint -W error"},
        {"bash", "bash-completion/completions/" + program, "bash -n"},
        {"zsh", "zsh/site-functions/_" + program, "zsh -f -n"},
        {"fish", "fish/vendor_completions.d/" + program + ".fish", "fish --no-config -n"},
    };
    for (const auto& [form, path, check] : forms) {
      const auto printed = RunTool(program, {"--help-as", form});
      EXPECT_EQ(printed.exit_code, 0) << printed.err;
      EXPECT_TRUE(printed.out == ReadText(share + path))
          << share + path << " is not what " << program << " prints";
      testing::WriteText(dir / "file", printed.out);
      const std::string word = check.substr(0, check.find(' '));
      if (testing::Run({"/bin/sh", "-c", "command -v " + word}).exit_code != 0) {
        EXPECT_FALSE(testing::RequireEverything())
            << word << " is missing; scripts/setup.sh --tests installs it";
        continue;
      }
      const auto checked = testing::Run({"/bin/sh", "-c", check + " " + (dir / "file")});
      EXPECT_EQ(checked.exit_code, 0) << program << " " << form << ": " << checked.out << checked.err;
    }
  }
}

}  // namespace
}  // namespace qat
