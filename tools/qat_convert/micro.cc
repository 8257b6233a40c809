#include "micro.h"

#include <vector>

#include "base/printable.h"
#include "base/strings.h"
#include "micro/micro_export.h"
#include "model/model.h"
#include "target/target.h"

namespace qat {

Status EmitMicro(Tool& tool, const ConvertFlags& flags, const Graph& graph, const Bytes& bytes,
                 Report& report) {
  if (flags.emit_micro.empty()) return {};
  QAT_ASSIGN_OR_RETURN(const auto model, Model::FromBytes(bytes, graph.name));
  QAT_RETURN_IF_ERROR_IN("--emit-micro", ExpectTarget(*model, Target::kTfliteMicro));
  QAT_ASSIGN_OR_RETURN_IN("--emit-micro", const MicroExport exported,
                          ExportMicro(bytes, graph.name, graph.contract));
  // All of them are opened before one is written.
  std::vector<OutputFile> files;
  for (const MicroFile& file : exported.files) {
    QAT_ASSIGN_OR_RETURN_IN("--emit-micro", OutputFile output,
                            OutputFile::Open(JoinPath(flags.emit_micro, file.name)));
    files.push_back(std::move(output));
  }
  for (size_t i = 0; i < files.size(); ++i)
    QAT_RETURN_IF_ERROR_IN("--emit-micro", files[i].Commit(exported.files[i].text));
  report.outputs["micro"] = flags.emit_micro;
  report.metrics["micro_arena_bytes"] = static_cast<double>(exported.arena);
  tool.Print(
      PrintableLines(StrCat("micro      ", flags.emit_micro, ": ", exported.files.size(), " files, ",
                            bytes.size(), " bytes of model, an arena of ", exported.arena, " bytes, ",
                            exported.operators, exported.operators == 1 ? " operator\n" : " operators\n")));
  return {};
}

}  // namespace qat
