// plot.h: `qat-train plot`: runs as one HTML page.
#ifndef QAT_TOOLS_QAT_TRAIN_PLOT_H_
#define QAT_TOOLS_QAT_TRAIN_PLOT_H_

#include <string>
#include <vector>

#include "base/file_use.h"
#include "cli/tool.h"

namespace qat {

struct PlotFlags {
  std::vector<std::string> runs;
  std::string output;  ///< empty: plot.html of the first run

  std::string Output() const;
};

/// Adds the command with its flags, which outlive the tool.
void AddPlotCommand(Tool& tool, PlotFlags& flags);

/// Which files they name.
void DeclareFiles(const PlotFlags& flags, FileUse& use);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_TRAIN_PLOT_H_
