#include "trace/trace.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/file_kind.h"
#include "base/hash.h"
#include "base/strings.h"
#include "base/version.h"
#include "contract/provenance.h"
#include "data/dataset.h"
#include "ir/frozen_graph.h"
#include "runtime/runnable_model.h"
#include "spec/auto_network.h"
#include "spec/build_graph.h"
#include "spec/network_spec.h"
#include "spec/train_config.h"
#include "trace/find.h"
#include "trace/remake.h"

namespace qat {
namespace {

using Provenance = std::map<std::string, std::string>;

std::string ValueOf(const Provenance& provenance, const std::string& key) {
  const auto found = provenance.find(key);
  return found == provenance.end() ? std::string() : found->second;
}

// "is a checkpoint", said of a file that is of no use here, is left to the readers.
class Tracer {
 public:
  explicit Tracer(const TraceRequest& request)
      : request_(request), places_(PlacesAround(request.start, request.run)) {}

  Expected<std::vector<TraceLink>> Walk() {
    if (IsDirectory(request_.start)) {
      return NotFound(StrCat(request_.start, ": is a directory, expected a model, a graph or a checkpoint"));
    }
    QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(request_.start, kLargestTable));
    if (IsKind(bytes, kCheckpointIdentifier)) {
      QAT_RETURN_IF_ERROR(StartAtCheckpoint(bytes));
    } else if (IsKind(bytes, kGraphIdentifier)) {
      QAT_RETURN_IF_ERROR(StartAtGraph(bytes));
    } else {
      QAT_RETURN_IF_ERROR(StartAtModel(bytes));
    }
    QAT_RETURN_IF_ERROR(TraceNetwork());
    QAT_RETURN_IF_ERROR(TraceRecipe());
    QAT_RETURN_IF_ERROR(TraceData());
    if (again_ != 0) QAT_RETURN_IF_ERROR(CompareModel(bytes));
    return std::move(links_);
  }

 private:
  void Start(const char* what, const Bytes& bytes, std::string note) {
    links_.push_back({what, "", request_.start, Sha256(bytes), "start", std::move(note)});
  }

  Status StartAtModel(const Bytes& bytes) {
    QAT_ASSIGN_OR_RETURN(model_, RunnableFromBytes(bytes, request_.start));
    Start("model", bytes, StrCat("made by ", model_->made_by().empty() ? "others" : model_->made_by()));
    for (const auto& [key, value] : model_->provenance()) origin_[key] = value;
    if (origin_.empty()) {
      links_.back().note += "; it does not say what it was made from";
      return {};
    }
    QAT_RETURN_IF_ERROR(TraceGraph());
    return TraceCheckpoint();
  }

  Status StartAtGraph(const Bytes& bytes) {
    QAT_ASSIGN_OR_RETURN(graph_, ParseFrozenGraph(bytes, request_.start));
    Start("graph", bytes, VersionNote("qat-freeze", graph_->provenance));
    graph_hash_ = links_.back().found;
    LearnFrom(graph_->provenance);
    return TraceCheckpoint();
  }

  Status StartAtCheckpoint(const Bytes& bytes) {
    QAT_ASSIGN_OR_RETURN(checkpoint_, ParseCheckpoint(bytes, request_.start));
    Start("checkpoint", bytes, CheckpointNote());
    checkpoint_path_ = request_.start;
    LearnFromCheckpoint();
    return {};
  }

  static std::string VersionNote(std::string_view tool, const Provenance& provenance) {
    const std::string version = ValueOf(provenance, "tool_version");
    return version.empty() ? "" : StrCat("made by ", tool, " ", version);
  }
  std::string CheckpointNote() const {
    return StrCat("step ", checkpoint_->step, ", ", VersionNote("qat-train", checkpoint_->provenance));
  }

  // Full hashes take the place of those that were cut; what the result said already stays what is expected.
  void LearnFrom(const Provenance& provenance) {
    for (const auto& [key, value] : provenance) {
      const std::string name = key.ends_with("_sha256") ? key.substr(0, key.size() - 7) : key;
      std::string& known = origin_[name];
      if (known.empty() || SameHash(known, value)) known = value;
    }
  }
  void LearnFromCheckpoint() {
    LearnFrom(checkpoint_->provenance);
    LearnFrom({{"config_sha256", Sha256(checkpoint_->config_text)}});
    if (const std::string text = SourceTextOf(checkpoint_->network); !text.empty())
      LearnFrom({{"spec_sha256", Sha256(text)}});
  }

  // A file with the hash that is expected, one that takes its place without having it, or none.
  TraceLink& AddLink(const char* what, const std::string& expected, const FoundFile& found) {
    std::string state = found.path.empty() ? "not here" : "matches";
    if (!found.path.empty() && !SameHash(expected, found.sha256)) state = "differs";
    links_.push_back({what, expected, found.path, found.sha256, state, found.note});
    return links_.back();
  }

  Status TraceGraph() {
    const std::string expected = ValueOf(origin_, "graph");
    if (expected.empty()) return {};
    if (!request_.graph.empty()) QAT_RETURN_IF_ERROR(ExpectGraph(request_.graph));
    QAT_ASSIGN_OR_RETURN(const FoundFile found, FindGraph(places_, request_.graph, expected));
    TraceLink& link = AddLink("graph", expected, found);
    if (link.state != "matches") return {};
    QAT_ASSIGN_OR_RETURN(graph_, ReadGraph(found.path));
    graph_hash_ = found.sha256;
    link.note = VersionNote("qat-freeze", graph_->provenance);
    LearnFrom(graph_->provenance);
    // Judged at the end, when the data are known, too.
    again_ = links_.size();
    links_.push_back({"model, converted again", links_.front().found, request_.start, "", "not here", ""});
    return {};
  }

  Status CompareModel(const Bytes& model_bytes) {
    TraceLink& link = links_[again_];
    if (model_->made_by() != StrCat("qat-convert ", Version())) {
      link.note = StrCat("made by another version than ", Version());
      return {};
    }
    ConversionSources sources = {*graph_, graph_hash_};
    QAT_ASSIGN_OR_RETURN(link.note, FindWhatElseItWasMadeOf(sources));
    if (!link.note.empty()) return {};
    const auto made = ConvertAgain(*model_, std::move(sources));
    if (!made.ok()) {
      if (made.error().code == ErrorCode::kInterrupted)
        return Error{ErrorCode::kInterrupted,
                     StrCat("interrupted while ", request_.start,
                            " was converted again to be compared: no output was written")};
      link.note = made.error().message;
      return {};
    }
    link.found = Sha256(*made);
    link.state = *made == model_bytes ? "matches" : "differs";
    if (*made == model_bytes) return {};
    QAT_ASSIGN_OR_RETURN(const auto again, RunnableFromBytes(*made, "model, converted again"));
    link.note = FirstDifference(*again, *model_);
    return {};
  }

  /// Of a model that was converted from another one, not from the graph.
  std::string AboutSource(const std::string& hash) const {
    const FoundFile source = FindModel(places_, hash);
    const std::string name = source.path.empty()
                                 ? StrCat("a model that is not beside it (sha256 ", hash.substr(0, 16), ")")
                                 : source.path;
    return StrCat("made of ", name, " and not of the graph; to check it, convert ",
                  source.path.empty() ? "that model" : source.path, " again with the same flags");
  }

  /// Beside the graph: plan and data. Returns what is missing, in words; empty: nothing.
  Expected<std::string> FindWhatElseItWasMadeOf(ConversionSources& sources) const {
    // A network that was trained on from a model of others has a source itself.
    const std::string source = ValueOf(origin_, "source");
    if (!source.empty() && !SameHash(source, ValueOf(graph_->provenance, "source_sha256")))
      return AboutSource(source);
    std::vector<std::string> missing;
    if (const std::string plan = ValueOf(origin_, "plan"); !plan.empty()) {
      const FoundFile found = FindPlan(places_, plan);
      if (found.path.empty()) {
        missing.push_back(StrCat("its plan (", plan.substr(0, 16), ") does not lie beside it"));
      } else {
        QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(found.path));
        QAT_ASSIGN_OR_RETURN(sources.plan, ReadPlan(text, found.path));
        sources.plan_sha256 = found.sha256;
      }
    }
    if (origin_.contains("calibration")) {
      sources.data = calibration_ ? &*calibration_ : nullptr;
      sources.hooks = request_.hooks;
      if (!calibration_) missing.emplace_back("its ranges come from images (calibration) that are not here");
    }
    return Join(missing, "; ");
  }

  Status TraceCheckpoint() {
    const std::string expected = ValueOf(origin_, "checkpoint");
    if (expected.empty()) return {};
    QAT_ASSIGN_OR_RETURN(const FoundFile found, FindCheckpoint(places_, request_.run, expected));
    TraceLink& link = AddLink("checkpoint", expected, found);
    if (link.state != "matches") return {};
    QAT_ASSIGN_OR_RETURN(checkpoint_, ReadCheckpoint(found.path));
    checkpoint_path_ = found.path;
    link.note = CheckpointNote();
    LearnFromCheckpoint();
    return graph_ ? CompareGraph() : Status();
  }

  Status CompareGraph() {
    const std::string path = links_.front().what == "graph" ? request_.start : FileOf("graph");
    links_.push_back({"graph, frozen again", graph_hash_, path, "", "not here", ""});
    TraceLink& link = links_.back();
    if (ValueOf(graph_->provenance, "tool_version") != Version()) {
      link.note = StrCat("made by another version than ", Version());
      return {};
    }
    const auto made = FreezeAgain(*checkpoint_);
    if (!made.ok()) {
      link.note = made.error().message;
      return {};
    }
    link.found = Sha256(*made);
    link.state = link.found == graph_hash_ ? "matches" : "differs";
    if (link.state == "matches") return {};
    QAT_ASSIGN_OR_RETURN(const Graph again, ParseGraph(*made, "graph, frozen again"));
    link.note = FirstDifference(again, *graph_);
    return {};
  }

  std::string FileOf(std::string_view what) const {
    const auto found =
        std::find_if(links_.begin(), links_.end(), [&](const auto& l) { return l.what == what; });
    return found == links_.end() ? "" : found->file;
  }

  // The recipe that lies in the run of the checkpoint, with the paths that the checkpoint leaves out.
  Expected<std::optional<TrainConfig>> RecipeOfRun() {
    const std::string path = RecipePathOf(checkpoint_path_);
    if (path.empty() || !FileExists(path)) return std::optional<TrainConfig>();
    QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
    QAT_ASSIGN_OR_RETURN(TrainConfig config, ParseTrainConfig(text, path, {}));
    return std::optional(std::move(config));
  }

  Status TraceNetwork() {
    const std::string expected = ValueOf(origin_, "spec");
    if (expected.empty()) return {};
    if (!checkpoint_) {
      AddLink("network", expected, {});
      return {};
    }
    QAT_ASSIGN_OR_RETURN(const auto recipe, RecipeOfRun());
    FoundFile inside = {checkpoint_path_, Sha256(SourceTextOf(checkpoint_->network)),
                        "the text that the checkpoint holds"};
    // Such a network was made for the data; no file but the checkpoint has its text.
    if (!recipe || recipe->network == kAutoNetwork) return AddLink("network", expected, inside), Status();
    const auto spec = LoadAsTrained(*recipe);
    if (!spec.ok()) {
      inside.note = StrCat("the text that the checkpoint holds; ", recipe->network,
                           " is no longer there to be compared");
      return AddLink("network", expected, inside), Status();
    }
    AddLink("network", expected, {recipe->network, Sha256(spec->text), ""});
    return {};
  }

  // With the number of classes of the data, where training took it from there.
  Expected<NetworkSpec> LoadAsTrained(const TrainConfig& recipe) const {
    ScalingFlags scaling{recipe.width, recipe.resolution, recipe.classes};
    QAT_ASSIGN_OR_RETURN(NetworkSpec spec, LoadNetworkSpec(recipe.network, scaling));
    const auto classes = static_cast<int32_t>(checkpoint_->contract.labels().size());
    if (spec.classes == 0 || scaling.classes != 0 || classes == 0) return spec;
    scaling.classes = classes;
    return LoadNetworkSpec(recipe.network, scaling);
  }

  Status TraceRecipe() {
    const std::string expected = ValueOf(origin_, "config");
    if (expected.empty()) return {};
    if (!checkpoint_) {
      AddLink("recipe", expected, {});
      return {};
    }
    QAT_ASSIGN_OR_RETURN(const auto recipe, RecipeOfRun());
    if (!recipe) {
      AddLink("recipe", expected,
              {checkpoint_path_, Sha256(checkpoint_->config_text), "the text that the checkpoint holds"});
      return {};
    }
    // Recipes of an earlier version lack keys that have their defaults now.
    QAT_ASSIGN_OR_RETURN(const TrainConfig own,
                         ParseTrainConfig(checkpoint_->config_text, checkpoint_path_, {}));
    const bool same = PortableToml(own) == PortableToml(*recipe);
    AddLink("recipe", expected,
            {RecipePathOf(checkpoint_path_),
             same ? Sha256(checkpoint_->config_text) : Sha256(PortableToml(*recipe)), ""});
    return {};
  }

  Status TraceData() {
    if (const std::string init = ValueOf(origin_, "init"); !init.empty()) {
      QAT_ASSIGN_OR_RETURN(const FoundFile found, FindCheckpoint(places_, "", init));
      AddLink("start (init)", init, SameHash(init, found.sha256) ? found : FoundFile());
    }
    QAT_RETURN_IF_ERROR(TraceImages("data", 0));
    const std::string images = ValueOf(origin_, "calibration_images");
    if (images.empty()) return {};
    const std::string limit = ValueOf(origin_, kCalibrationLimitKey);
    return limit.empty() ? TraceImages("calibration", std::atoll(images.c_str()), /*prefix=*/true)
                         : TraceImages("calibration", std::atoll(limit.c_str()));
  }

  const Contract* GivenContract() const {
    if (checkpoint_) return &checkpoint_->contract;
    if (graph_) return &graph_->contract;
    return model_ && model_->contract() ? &*model_->contract() : nullptr;
  }

  Status TraceImages(const std::string& what, int64_t limit, bool prefix = false) {
    const std::string expected = ValueOf(origin_, what);
    if (expected.empty()) return {};
    std::string path = request_.data;
    if (path.empty() && checkpoint_) {
      QAT_ASSIGN_OR_RETURN(const auto recipe, RecipeOfRun());
      if (recipe) path = recipe->data;
    }
    FoundFile found;
    if (path.empty()) {
      found.note = "`data` says where it is";
    } else {
      auto dataset = OpenData(path, what, limit, prefix);
      if (!dataset.ok() && (!request_.data.empty() || dataset.error().code == ErrorCode::kInterrupted))
        return dataset.error();
      found.note = dataset.ok() ? "" : StrCat(path, " cannot be read here");
      if (dataset.ok()) {
        QAT_ASSIGN_OR_RETURN(found.sha256, Fingerprint(*dataset));
        found.path = path;
        if (what != "data" && SameHash(found.sha256, expected)) calibration_ = *std::move(dataset);
      }
    }
    AddLink(what == "data" ? "data" : "calibration data", expected, found);
    return {};
  }

  Expected<Dataset> OpenData(const std::string& path, const std::string& what, int64_t limit,
                             bool prefix) const {
    OpenOptions options;
    options.limit = limit;
    options.prefix = prefix;
    options.unlabelled = what == "calibration";
    options.task = TaskFromName(ValueOf(origin_, kTaskKey)).value_or(Task::kAuto);
    options.hooks = request_.hooks.Quiet();
    if (const Contract* contract = GivenContract(); contract != nullptr) {
      SetInputs(*contract, options);
      options.class_names = contract->labels();
      SetOutputs(*contract, options);
    }
    return OpenDataset(path, Split::kTrain, options);
  }

  const TraceRequest& request_;
  Places places_;
  std::vector<TraceLink> links_;
  Provenance origin_;  // "graph", "checkpoint", "spec", "config", "data", … as far as known
  std::shared_ptr<const Model> model_;
  std::optional<Graph> graph_;
  std::string graph_hash_;
  std::optional<Checkpoint> checkpoint_;
  std::string checkpoint_path_;
  size_t again_ = 0;                    // the link of the model that is converted again; 0: none
  std::optional<Dataset> calibration_;  // where it is what the model was calibrated with
};

}  // namespace

Expected<std::vector<TraceLink>> Trace(const TraceRequest& request) { return Tracer(request).Walk(); }

}  // namespace qat
