// qat-train: data and a recipe in, a run directory out.
#include "cli/tool.h"
#include "flags.h"
#include "run.h"

int main(int argc, char** argv) {
  qat::Tool tool(
      "qat-train", "Trains a network with fake quantization; every key of --config is a flag, too.",
      "  qat-train --data mnist/ --preset lenet -o runs/lenet\n"
      "  qat-train --data mnist/ --steps 2000 --quant-delay 1000 -o runs/quick --resume-if-exists\n");
  tool.OwnConfig();
  qat::TrainFlags flags;
  qat::AddFlags(tool, flags);
  tool.DeclareFiles([&](qat::FileUse& use) { qat::DeclareFiles(flags, use); });
  return tool.Main(argc, argv, [&](qat::Report& report) { return qat::RunTool(tool, flags, report); });
}
