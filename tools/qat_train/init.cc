#include "init.h"

#include "base/file.h"
#include "base/log.h"
#include "base/strings.h"
#include "weights/network_layers.h"

namespace qat {
namespace {

bool IsWeightsName(const std::string& path) { return path.ends_with(".safetensors") || IsNpzName(path); }

// Flags that say how a weights file is to be read.
Status RefuseWeightsFlags(const TrainFlags& flags) {
  const std::pair<const char*, bool> given[] = {{"--init-map", !flags.init_map.empty()},
                                                {"--init-layout", !flags.init_layout.empty()},
                                                {"--init-flatten", !flags.init_flatten.empty()},
                                                {"--print-init", flags.print_init}};
  for (const auto& [flag, is_given] : given) {
    if (is_given)
      return InvalidArgument(StrCat(flag, ": expected --init with weights (.safetensors or .npz)"));
  }
  return {};
}

Status ReadWeights(const TrainFlags& flags, Init& init) {
  if (!flags.init_layout.empty() && flags.init_layout != "auto") {
    init.options.layout = WeightsLayoutFromName(flags.init_layout);
    if (!init.options.layout)
      return InvalidArgument(
          StrCat("--init-layout: value '", flags.init_layout, "', expected auto, pytorch, keras or tflite"));
  }
  if (!flags.init_flatten.empty() && flags.init_flatten != "chw" && flags.init_flatten != "hwc") {
    return InvalidArgument(StrCat("--init-flatten: value '", flags.init_flatten, "', expected chw or hwc"));
  }
  init.options.channels_last = flags.init_flatten == "hwc";
  if (!flags.init_map.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--init-map", const std::string text, ReadTextFile(flags.init_map));
    QAT_ASSIGN_OR_RETURN_IN("--init-map", init.names, ParseNameMap(text, flags.init_map));
  }
  QAT_ASSIGN_OR_RETURN_IN("--init", init.weights, WeightsFile::Read(flags.init));
  return {};
}

}  // namespace

Expected<Init> ReadInit(const TrainFlags& flags) {
  Init init;
  if (IsWeightsName(flags.init) && !IsDirectory(flags.init)) {
    QAT_RETURN_IF_ERROR(ReadWeights(flags, init));
    return init;
  }
  QAT_RETURN_IF_ERROR(RefuseWeightsFlags(flags));
  if (flags.init.empty()) return init;
  for (const std::string_view model : {".tflite", ".onnx"}) {
    if (flags.init.ends_with(model) && !IsDirectory(flags.init)) {
      return InvalidArgument(
          StrCat("--init: ", flags.init, " is a model, which brings its network: --network ", flags.init,
                 " starts from its weights; expected a run, a checkpoint or weights (.safetensors, .npz)"));
    }
  }
  QAT_ASSIGN_OR_RETURN_IN("--init", const ChosenCheckpoint chosen,
                          ChooseCheckpoint(flags.init, flags.select));
  if (!chosen.note.empty()) LogInfo(StrCat("--init: ", chosen.note));
  QAT_ASSIGN_OR_RETURN_IN("--init", init.checkpoint, ReadCheckpoint(chosen.path));
  return init;
}

Expected<std::optional<Checkpoint>> ReadTeacher(const TrainConfig& config) {
  const std::string& path = config.teacher;
  if (path.empty()) return std::optional<Checkpoint>();
  for (const std::string_view other : {".tflite", ".onnx", ".qgraph", ".safetensors", ".npz"}) {
    if (path.ends_with(other) && !IsDirectory(path)) {
      return InvalidArgument(
          StrCat("--teacher: ", path,
                 " is no run and no checkpoint, which a teacher has to be; of a model, "
                 "qat-train --no-training --network MODEL makes a run, of weights with --init"));
    }
  }
  QAT_ASSIGN_OR_RETURN_IN("--teacher", const ChosenCheckpoint chosen, ChooseCheckpoint(path, ""));
  if (!chosen.note.empty()) LogInfo(StrCat("--teacher: ", chosen.note));
  QAT_ASSIGN_OR_RETURN_IN("--teacher", Checkpoint teacher, ReadCheckpoint(chosen.path));
  LogInfo(StrCat("--teacher: network ", teacher.network.name, " of step ", teacher.step, ", ",
                 NumberText(config.teacher_weight), " of the loss at temperature ",
                 NumberText(config.teacher_temperature)));
  return std::optional(std::move(teacher));
}

Expected<TakenWeights> FillFromWeights(const Init& init, const TrainJob& job) {
  TakeOptions options = init.options;
  options.names = init.names ? &*init.names : nullptr;
  return TakeWeights(LayersWithParameters(job.network), *init.weights, options);
}

}  // namespace qat
