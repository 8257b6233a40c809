// qat-train: data and a recipe in, a run directory out; and what is in one, as a page.
#include <vector>

#include "cli/tool.h"
#include "flags.h"
#include "plot.h"
#include "run.h"
#include "train/workers.h"

namespace {

// Of several processes, one reports and shows its progress. Those flags of the others are passed over.
std::vector<const char*> SilentWords(int argc, char** argv) {
  std::vector<const char*> words;
  for (int i = 0; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto is = [&](std::string_view flag) {
      return word == flag || (word.starts_with(flag) && word[flag.size()] == '=');
    };
    if (!is("--json") && !is("--progress") && !is("--log-level")) {
      words.push_back(argv[i]);
    } else if (word.find('=') == word.npos) {
      ++i;  // its value
    }
  }
  for (const char* word : {"--progress", "none", "--log-level", "error"}) words.push_back(word);
  return words;
}

}  // namespace

int main(int argc, char** argv) {
  qat::Tool tool("qat-train", "Trains a network with fake quantization, and shows how that went.",
                 "  qat-train --data mnist/ --preset lenet -o runs/lenet\n"
                 "  qat-train plot runs/lenet\n");
  qat::TrainFlags flags;
  qat::PlotFlags plot;
  tool.AddCommand(
      "train", "Trains a network; every key of --config is a flag, too.",
      "  qat-train --data mnist/ --preset lenet -o runs/lenet\n"
      "  qat-train --data mnist/ --steps 2000 --quant-delay 1000 -o runs/quick --resume-if-exists\n",
      [&](qat::Report& report) { return qat::RunTool(tool, flags, report); });
  tool.OwnConfig();
  qat::AddFlags(tool, flags);
  qat::AddPlotCommand(tool, plot);
  tool.DeclareFiles([&](qat::FileUse& use) {
    tool.Runs("plot") ? qat::DeclareFiles(plot, use) : qat::DeclareFiles(flags, use);
  });
  const auto place = qat::PlaceFromEnvironment();
  std::vector<const char*> words(argv, argv + argc);
  if (place.ok() && !place->writes()) words = SilentWords(argc, argv);
  return tool.Main(static_cast<int>(words.size()), words.data());
}
