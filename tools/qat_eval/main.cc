// qat-eval: float against integers on the same images: accuracy, latency, proof, gates. Its work is lib/eval.
#include "base/log.h"
#include "cli/interrupt.h"
#include "cli/tool.h"
#include "commands.h"
#include "flags.h"

namespace qat {
namespace {

struct CommandRow {
  const char* name;
  EvalCommand bit;
  Status (*run)(EvalFlags&, Tool&, Report&);
  const char* description;
  const char* examples;
  std::vector<std::string> usual;
};

const CommandRow kCommands[] = {
    {"compare",
     kCompare,
     RunCompare,
     "Compares float and integer models on the same labelled data.",
     "  qat-eval --data digits --checkpoint run --graph g.qgraph m.tflite --max-drop 0.1\n"
     "  qat-eval --data mnist/ m.tflite --baseline good.json --max-drop 0.1 --html report.html\n",
     {"models", "--data", "--float", "--checkpoint", "--graph", "--limit", "--min-accuracy", "--max-drop",
      "--baseline", "--html", "--json"}},
    {"bench",
     kBench,
     RunBenchmark,
     "Measures the speed of models on random inputs, in turns.",
     "  qat-eval bench a.tflite b.tflite\n"
     "  qat-eval bench m.tflite --batch 32 --threads 4 --operators\n",
     {"models", "--graph", "--batch", "--threads", "--repeat", "--operators", "--kernels", "--html",
      "--json"}},
    {"classify",
     kClassify,
     RunClassify,
     "Prints classes or numbers for pictures or rows of a table.",
     "  qat-eval classify m.tflite cat.jpg dog.jpg\n"
     "  qat-eval classify m.tflite --topk 1 *.png --json -\n",
     {"files", "--graph", "--topk", "--input-stats", "--threads", "--json"}},
    {"run",
     kRun,
     RunModel,
     "Runs a model on given tensors; prints or saves its outputs.",
     "  qat-eval run m.tflite --input x.npy\n"
     "  qat-eval run m.tflite --input image.npy --input box.npy -o y.npy\n",
     {"model", "--input", "--save-outputs", "--kernels", "--profile", "--threads", "--json"}},
    {"trace",
     kTrace,
     RunTrace,
     "Follows a model back to its training data, hash by hash.",
     "  qat-eval trace m.tflite\n"
     "  qat-eval trace m.tflite --checkpoint runs/lenet --data mnist/\n",
     {"model", "--graph", "--checkpoint", "--data", "--html", "--json"}},
    {"debug",
     kDebug,
     RunDebug,
     "Finds layers that quantization harms, and a plan that repairs them.",
     "  qat-eval debug g.qgraph m.tflite --data mnist/\n"
     "  qat-eval debug net.tflite --type int8 --data cifar/ --suggest fixed.toml --max-drop 0.3\n",
     {"networks", "--data", "--plan", "--type", "--limit", "--suggest", "--max-drop", "--reproducer",
      "--details", "--json"}},
    {"inspect",
     kInspect,
     RunInspect,
     "Shows what a file contains, or how two files differ.",
     "  qat-eval inspect m.tflite --details\n"
     "  qat-eval inspect --diff a.tflite b.tflite\n"
     "  qat-eval inspect network.onnx --spec network.toml\n",
     {"inspected", "--details", "--diff", "--select", "--dot", "--spec", "--json"}},
    {"report",
     kReport,
     ShowReport,
     "Shows an earlier JSON report again, without running anything.",
     "  qat-eval report r.json --html report.html\n"
     "  qat-eval report --schema\n",
     {"report", "--html", "--junit", "--markdown", "--benchmark-json", "--schema"}},
};

// Looked for in this order: where several were given, the first one decided.
const std::vector<OldSpelling> kOldSpellings = {
    {"--schema", "report"},  {"--report", "report"}, {"--trace", "trace"},      {"--bench", "bench"},
    {"--image", "classify"}, {"--input", "run"},     {"--save-outputs", "run"},
};

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  qat::Tool tool(
      "qat-eval",
      "Compares a network in float and in integers: accuracy, size, speed, and proof that nothing was lost.",
      "  qat-eval --data digits --checkpoint run --graph g.qgraph m.tflite --max-drop 0.1\n"
      "  qat-eval classify m.tflite cat.jpg\n");
  qat::EvalFlags flags;
  flags.request.rows.litert = "auto";
  flags.request.rows.on_note = qat::LogInfo;
  for (const qat::CommandRow& row : qat::kCommands) {
    qat::Command& command =
        tool.AddCommand(row.name, row.description, row.examples, [&](qat::Report& report) {
          qat::CatchInterrupts();
          return row.run(flags, tool, report);
        });
    command.usual = row.usual;
    qat::AddEvalFlags(tool, command, row.bit, flags);
  }
  tool.SetOldSpellings(qat::kOldSpellings);
  tool.DeclareFiles([&](qat::FileUse& use) { qat::DeclareFiles(flags, use); });
  return tool.Main(argc, argv);
}
