#include "eval/rows.h"

#include <algorithm>

#include "base/file_kind.h"
#include "base/hash.h"
#include "base/strings.h"
#include "checkpoint/check_numbers.h"
#include "contract/unlikely_units.h"
#include "eval/litert.h"
#include "eval/lowered_graph.h"
#include "eval/ranges.h"
#include "eval/torch_backend_loader.h"
#include "freeze/freeze.h"
#include "ir/frozen_graph.h"
#include "model/model_contract.h"
#include "model/signatures.h"
#include "report/main_rows.h"
#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"

namespace qat {
namespace {

// A contract and whose it is, for messages.
struct NamedContract {
  std::string owner;
  Contract contract;
};

std::string NoContract(const Model& model, const std::string& instead, const Contract& contract) {
  return StrCat(model.source(), ": has no input contract; ", instead, " (", Describe(contract), ")");
}

// Where nobody says what a byte means, the user can.
Error AskingForStats(const Model& model, Error error) {
  const bool unknown = error.message.starts_with("has no input contract");
  if (unknown)
    error.message +=
        "; give `input_stats` MEAN,STD (127.5,127.5 for values of -1 to 1; 0,255 for 0 to 1; 0,1 for 0 to "
        "255; none where the data are the real numbers that it takes), or `graph` or `checkpoint` of the "
        "same network";
  return std::move(error).Prefixed(model.source());
}

// `first`: of the rows before, if there was one.
Expected<ModelContract> ChooseContract(const Model& model, const RowRequest& request,
                                       const std::optional<NamedContract>& first,
                                       std::vector<std::string>& warnings) {
  std::optional<NamedContract> other = first;
  if (request.input_stats) {
    QAT_ASSIGN_OR_RETURN_IN(model.source(), Contract contract,
                            request.input_stats->reals ? ContractOfRealNumbers(model)
                                                       : ContractFromStats(model, request.input_stats->mean,
                                                                           request.input_stats->std));
    if (const std::string unlikely = UnlikelyUnits(contract); !unlikely.empty())
      warnings.push_back(StrCat("`input_stats`: ", unlikely));
    other = NamedContract{"`input_stats`", std::move(contract)};
  }
  auto chosen = ContractOf(model, other ? &other->contract : nullptr);
  if (!chosen.ok() && request.data_are_reals && request.data_are_reals()) {
    auto reals = ContractOfRealNumbers(model);
    if (reals.ok()) chosen = ModelContract{*std::move(reals), ContractSource::kReals};
  }
  if (!chosen.ok()) return AskingForStats(model, std::move(chosen).error());
  if (chosen->source == ContractSource::kQuantizedInput) {
    warnings.push_back(NoContract(model, "bytes are taken as they are", chosen->contract));
  } else if (chosen->source == ContractSource::kReals) {
    warnings.push_back(NoContract(model, "real numbers are taken as they are", chosen->contract));
  } else if (chosen->source == ContractSource::kFallback && !request.input_stats) {
    warnings.push_back(NoContract(model, StrCat("that of ", other->owner, " is taken"), chosen->contract));
  } else if (chosen->source != ContractSource::kFallback && request.input_stats) {
    warnings.push_back(StrCat(model.source(), ": `input_stats` is not used, since it has an input contract (",
                              Describe(chosen->contract), ")"));
  }
  return chosen;
}

class Opener {
 public:
  Opener(const RowRequest& request, std::vector<std::string>& warnings)
      : request_(request), warnings_(warnings) {}

  Expected<Rows> Open() {
    if (!request_.float_run.empty()) QAT_RETURN_IF_ERROR_IN("`float_run`", AddFloat());
    if (!request_.checkpoint.empty()) QAT_RETURN_IF_ERROR_IN("`checkpoint`", AddCheckpoint());
    if (!request_.graph.empty()) QAT_RETURN_IF_ERROR_IN("`graph`", AddGraph());
    for (const std::string& path : request_.models) QAT_RETURN_IF_ERROR_IN("`models`", AddModel(path));
    AddFloatModel();
    // Those that are not listed go last, so that positions of listed rows are those of the report.
    std::stable_partition(rows_.rows.begin(), rows_.rows.end(), [](const Row& row) { return row.listed; });
    return std::move(rows_);
  }

 private:
  // `file`: what was read from `path`, which is read only once.
  void AddRow(std::unique_ptr<Predictor> predictor, const std::string& path, std::span<const uint8_t> file,
              bool listed = true) {
    Row row;
    row.result.name = predictor->name();
    row.result.kind = predictor->kind();
    row.result.type = predictor->type();
    row.result.path = path;
    row.result.bytes = static_cast<int64_t>(file.size());
    row.result.sha256 = Sha256(file);
    row.predictor = std::move(predictor);
    row.listed = listed;
    rows_.rows.push_back(std::move(row));
  }

  struct CheckpointFile {
    std::string path;
    Bytes bytes;
    Checkpoint checkpoint;
  };

  Expected<CheckpointFile> OpenCheckpoint(const std::string& run) const {
    CheckpointFile file;
    QAT_ASSIGN_OR_RETURN(file.path, Choose(run));
    QAT_ASSIGN_OR_RETURN(file.bytes, ReadFileOfKind(file.path, kCheckpointIdentifier));
    QAT_ASSIGN_OR_RETURN(file.checkpoint, ParseCheckpoint(file.bytes, file.path));
    QAT_RETURN_IF_ERROR_IN(file.path, CheckNumbers(file.checkpoint));
    return file;
  }

  Status AddTorch(const CheckpointFile& file, const char* name, TorchMode mode, bool listed = true) {
    const auto& [path, bytes, checkpoint] = file;
    QAT_ASSIGN_OR_RETURN(auto predictor, MakeTorchPredictor(checkpoint, name, mode, 1));
    AddRow(std::move(predictor), path, bytes, listed);
    rows_.rows.back().result.provenance = checkpoint.provenance;
    return {};
  }

  Expected<std::string> Choose(const std::string& run) const {
    QAT_ASSIGN_OR_RETURN(ChosenCheckpoint chosen, ChooseCheckpoint(run, request_.select));
    if (!chosen.note.empty() && request_.on_note) request_.on_note(chosen.note);
    return std::move(chosen.path);
  }

  Status AddFloat() {
    QAT_ASSIGN_OR_RETURN(const CheckpointFile file, OpenCheckpoint(request_.float_run));
    const auto& [path, bytes, checkpoint] = file;
    if (checkpoint.scheme != "float32") {
      warnings_.push_back(StrCat(path, ": was trained with the scheme ", checkpoint.scheme,
                                 ", so the row 'float' is not a run that was never quantized"));
    }
    QAT_RETURN_IF_ERROR(AddTorch(file, "float", TorchMode::kFloat));
    NoteContract(path, checkpoint.contract);
    to_lower_ = ToLower{checkpoint, path, kFloatGraphName};
    return {};
  }

  Status AddCheckpoint() {
    QAT_ASSIGN_OR_RETURN(const CheckpointFile file, OpenCheckpoint(request_.checkpoint));
    const auto& [path, bytes, checkpoint] = file;
    QAT_RETURN_IF_ERROR(AddTorch(file, "checkpoint", TorchMode::kFloat));
    NoteContract(path, checkpoint.contract);
    if (!to_lower_ && request_.graph.empty()) to_lower_ = ToLower{checkpoint, path, "graph"};
    if (checkpoint.scheme == "float32") {
      warnings_.push_back(
          StrCat(path, ": was trained with the scheme float32, so there is no row 'simulated'"));
      return {};
    }
    QAT_RETURN_IF_ERROR(AddTorch(file, "simulated", TorchMode::kSimulated));
    if (const auto trained = PrecisionsFromName(checkpoint.scheme))
      rows_.rows.back().filters = trained->filters;
    QAT_RETURN_IF_ERROR(AddTorch(file, kFakeQuantizedName, TorchMode::kFakeQuantized, false));
    rows_.ranges = RangesOf(checkpoint);
    return {};
  }

  Status AddGraph() {
    QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFileOfKind(request_.graph, kGraphIdentifier));
    QAT_ASSIGN_OR_RETURN(const Graph graph, ParseFrozenGraph(bytes, request_.graph));
    QAT_ASSIGN_OR_RETURN(const auto model, LowerToModel(graph, request_.graph));
    QAT_ASSIGN_OR_RETURN(auto predictor,
                         MakeModelPredictor(model, "graph", "graph", request_.interpreter, &graph.contract));
    AddRow(std::move(predictor), request_.graph, bytes);
    rows_.rows.back().result.provenance = graph.provenance;
    rows_.rows.back().result.model_bytes = static_cast<int64_t>(model->file_size());
    NoteContract(request_.graph, graph.contract);
    rows_.network = graph.name;
    if (auto ranges = RangesOf(graph); !ranges.empty()) rows_.ranges = std::move(ranges);
    return {};
  }

  Status AddModel(const std::string& path) {
    for (const Row& row : rows_.rows) {
      if (row.result.name == path)
        return InvalidArgument(StrCat(path, ": is given twice, expected different models"));
    }
    QAT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, LoadRunnable(path));
    QAT_ASSIGN_OR_RETURN(const Contract contract, ContractFor(*model));
    QAT_ASSIGN_OR_RETURN(auto predictor,
                         MakeModelPredictor(model, NameFor(path), "tflite", request_.interpreter, &contract));
    AddRow(std::move(predictor), path, model->file_bytes());
    QAT_ASSIGN_OR_RETURN(const auto interpreter, Interpreter::Create(model, request_.interpreter));
    rows_.rows.back().model = model;
    if (rows_.network.empty() && model->description()) rows_.network = model->description()->name;
    rows_.rows.back().result.provenance = model->provenance();
    rows_.rows.back().result.arena_bytes = static_cast<int64_t>(interpreter->arena_size());
    if (rows_.ranges.empty()) rows_.ranges = RangesOf(*model);
    QAT_RETURN_IF_ERROR(AddOtherRounding(model, contract));
    return AddLitert(model, contract);
  }

  // A trained state that our runtime can run in float.
  struct ToLower {
    Checkpoint checkpoint;
    std::string path;
    const char* name;
  };

  // What freezing warns of are ranges, of which a float model has none.
  Expected<Row> Lowered(const ToLower& state) const {
    std::vector<std::string> none;
    QAT_ASSIGN_OR_RETURN(const Graph graph, Freeze(state.checkpoint, {}, none));
    QAT_ASSIGN_OR_RETURN(const auto model, LowerToModel(graph, state.path));
    Row row;
    QAT_ASSIGN_OR_RETURN(
        row.predictor, MakeModelPredictor(model, state.name, "graph", request_.interpreter, &graph.contract));
    row.result.name = state.name;
    row.result.kind = "graph";
    row.result.type = row.predictor->type();
    row.result.path = state.path;
    row.result.provenance = graph.provenance;
    row.result.bytes = row.result.model_bytes = static_cast<int64_t>(model->file_size());
    return row;
  }

  // Integer models are compared with the float model of the same network in our runtime. Where only a trained
  // state is given, it is frozen and lowered here; where that fails, the row is missing and the warning says
  // why.
  void AddFloatModel() {
    const auto is_model = [](const Row& row) { return row.result.kind == "tflite"; };
    const auto is_integer = [&](const Row& row) { return is_model(row) && row.result.type != "float32"; };
    const auto is_float = [&](const Row& row) { return is_model(row) && row.result.type == "float32"; };
    std::vector<Row>& rows = rows_.rows;
    if (!to_lower_ || std::none_of(rows.begin(), rows.end(), is_integer)) return;
    const bool has_own = std::any_of(rows.begin(), rows.end(), is_float);
    if (has_own && std::string_view(to_lower_->name) == "graph") return;
    auto row = Lowered(*to_lower_);
    if (!row.ok()) {
      warnings_.push_back(
          StrCat(to_lower_->path, ": there is no float model of it to compare with: ", row.error().message));
      return;
    }
    rows.insert(
        std::find_if(rows.begin(), rows.end(),
                     [&](const Row& other) { return is_model(other) || other.result.kind == "graph"; }),
        std::move(*row));
  }

  std::string TwinName(std::string_view name, const std::string& twin) const {
    return request_.models.size() == 1 ? std::string(name) : StrCat(name, ":", twin);
  }

  // The model that was added last, under the profile that was not asked for.
  Status AddOtherRounding(const std::shared_ptr<const Model>& model, const Contract& contract) {
    const ModelResult twin = rows_.rows.back().result;
    if (!request_.other_rounding || ComputesInFloat(twin)) return {};
    InterpreterOptions options = request_.interpreter;
    const bool classic = options.profile == ArithmeticProfile::kTfliteClassic;
    options.profile = classic ? ArithmeticProfile::kTflite : ArithmeticProfile::kTfliteClassic;
    const std::string name = TwinName(classic ? "tflite" : "tflite-classic", twin.name);
    QAT_ASSIGN_OR_RETURN(auto predictor, MakeModelPredictor(model, name, "tflite", options, &contract));
    AddRow(std::move(predictor), twin.path, model->file_bytes(), false);
    rows_.rows.back().twin = twin.name;
    return {};
  }

  // TFLite's answers to the integer model that was added last. That it is not there is an error only where it
  // was asked for; that it refuses a model which we run is worth a warning.
  Status AddLitert(const std::shared_ptr<const Model>& model, const Contract& contract) {
    const ModelResult twin = ModelAddedLast();
    if (request_.litert == "off" || ComputesInFloat(twin)) return {};
    const bool asked = request_.litert != "auto";
    const std::string name = TwinName("litert", twin.name);
    auto litert = MakeLitertPredictor(model, name, contract, asked ? request_.litert : "");
    if (!litert.ok()) {
      Error error = std::move(litert).error();
      if (asked) return Error{ErrorCode::kUnsupported, StrCat("`litert`: ", error.message)};
      if (error.code == ErrorCode::kNotFound) return {};
      warnings_.push_back(StrCat(twin.name, ": no row 'litert': ", error.message));
      return {};
    }
    if (!litert->without_reference.empty()) {
      warnings_.push_back(
          StrCat(twin.name, ": TFLite's reference kernels have no right one for ", litert->without_reference,
                 ", so its other kernels answer in the row 'litert', whose rounding it is not held to"));
    }
    rows_.litert_version = litert->version;
    rows_.litert_python = litert->python;
    AddRow(std::move(litert->predictor), twin.path, model->file_bytes());
    rows_.rows.back().result.by_reference = litert->without_reference.empty();
    rows_.rows.back().twin = twin.name;
    return {};
  }

  ModelResult ModelAddedLast() const {
    const auto is_model = [](const Row& row) { return row.listed; };
    return std::find_if(rows_.rows.rbegin(), rows_.rows.rend(), is_model)->result;
  }

  // A file that is called like a row keeps its own name.
  static std::string NameFor(const std::string& path) {
    for (const char* taken :
         {"float", kFloatGraphName, "checkpoint", "simulated", "graph", "litert", kFakeQuantizedName}) {
      if (path == taken) return StrCat("./", path);
    }
    return path;
  }

  void NoteContract(const std::string& owner, const Contract& contract) {
    if (!first_) {
      first_ = NamedContract{owner, contract};
    } else if (!SameMeaning(first_->contract, contract)) {
      warnings_.push_back(StrCat(owner, ": its input contract (", Describe(contract), ") is not that of ",
                                 first_->owner, " (", Describe(first_->contract), ")"));
    }
  }

  Expected<Contract> ContractFor(const Model& model) {
    WarnOfSignatures(model, warnings_);
    QAT_ASSIGN_OR_RETURN(const ModelContract chosen, ChooseContract(model, request_, first_, warnings_));
    const bool own =
        chosen.source == ContractSource::kEmbedded || chosen.source == ContractSource::kDescription;
    if (own) NoteContract(model.source(), chosen.contract);
    return chosen.contract;
  }

  const RowRequest& request_;
  std::vector<std::string>& warnings_;
  Rows rows_;
  std::optional<NamedContract> first_;
  std::optional<ToLower> to_lower_;
};

}  // namespace

Expected<Rows> OpenRows(const RowRequest& request, std::vector<std::string>& warnings) {
  if (request.float_run.empty() && request.checkpoint.empty() && request.graph.empty() &&
      request.models.empty()) {
    return InvalidArgument("nothing to evaluate: give `float_run`, `checkpoint`, `graph` or `models`");
  }
  return Opener(request, warnings).Open();
}

void WarnOfSignatures(const Model& model, std::vector<std::string>& warnings) {
  if (const std::string others = DescribeOtherSignatures(model); !others.empty())
    warnings.push_back(
        StrCat(model.source(), ": ", others, "; qat-convert writes another one as a model of its own"));
}

Expected<std::shared_ptr<const Model>> OpenOnlyModel(const RowRequest& request,
                                                     std::vector<std::string>& warnings) {
  const bool only_one = request.models.size() + (request.graph.empty() ? 0 : 1) == 1;
  if (!only_one || !request.checkpoint.empty() || !request.float_run.empty()) {
    return InvalidArgument("expected one model: one of `models`, or `graph`");
  }
  if (!request.models.empty()) {
    QAT_ASSIGN_OR_RETURN(std::shared_ptr<const Model> model, LoadRunnable(request.models.front()));
    WarnOfSignatures(*model, warnings);
    return model;
  }
  QAT_ASSIGN_OR_RETURN(const Graph graph, ReadGraph(request.graph));
  return LowerToModel(graph, request.graph);
}

Expected<Contract> ContractOfRow(const Model& model, const RowRequest& request,
                                 std::vector<std::string>& warnings) {
  QAT_ASSIGN_OR_RETURN(ModelContract chosen, ChooseContract(model, request, {}, warnings));
  return std::move(chosen.contract);
}

}  // namespace qat
