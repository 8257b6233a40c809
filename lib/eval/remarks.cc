#include "eval/remarks.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/join_some.h"
#include "base/strings.h"
#include "contract/task.h"
#include "report/class_figures.h"
#include "report/main_rows.h"
#include "report/text_format.h"

namespace qat {
namespace {

// Remarks in the order in which they came up, each with the rows it is true of and what is to be said of the
// row.
class Remarks {
 public:
  void Add(const std::string& remark, const std::string& row, const std::string& detail = "") {
    const auto same = [&](const auto& other) { return other.first == remark; };
    auto found = std::find_if(remarks_.begin(), remarks_.end(), same);
    if (found == remarks_.end()) found = remarks_.insert(found, {remark, {}});
    found->second.push_back(detail.empty() ? row : StrCat(row, " (", detail, ")"));
  }
  void AppendTo(std::vector<std::string>& warnings) const {
    for (const auto& [remark, rows] : remarks_) warnings.push_back(StrCat(Join(rows), ": ", remark));
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> remarks_;
};

std::string UnitOf(const Report& report, const ModelResult& row) {
  return row.classification && row.classification->mean_iou ? "pixels" : StrCat(ExampleWord(report), "s");
}

std::string One(const std::string& unit) { return unit.substr(0, unit.size() - 1); }

std::string Counted(int64_t count, const std::string& unit) {
  return StrCat(Grouped(count), " ", count == 1 ? One(unit) : unit);
}

// "class 'a' (40 images), class 'b' (12 images) and 3 more".
std::string ClassList(const Report& report, const ModelResult& row, const std::vector<size_t>& labels,
                      const std::vector<ClassCount>& counts) {
  constexpr size_t kMostNamed = 5;
  std::vector<std::string> names;
  for (const size_t label : labels) {
    if (names.size() < kMostNamed)
      names.push_back(
          StrCat(ClassSubject(report, label), " (", Counted(counts[label].total, UnitOf(report, row)), ")"));
  }
  const std::string text = Join(names);
  return labels.size() > kMostNamed ? StrCat(text, " and ", labels.size() - kMostNamed, " more") : text;
}

// Classes that nothing was measured of, which figures of all classes hide. Their number is that of names or
// of the model's answers.
void RemarkOnAbsentClasses(Report& report) {
  const auto has_classes = [](const ModelResult& row) {
    return row.classification && !ClassCountsOf(*row.classification).empty();
  };
  const auto row = std::find_if(report.models.begin(), report.models.end(), has_classes);
  if (row == report.models.end() || row->labels) return;
  std::vector<ClassCount> counts = ClassCountsOf(*row->classification);
  counts.resize(std::max(counts.size(), report.class_names.size()));
  std::vector<std::string> absent;
  for (size_t label = 0; label < counts.size(); ++label) {
    if (counts[label].total == 0) absent.push_back(ClassSubject(report, label));
  }
  if (absent.empty() || absent.size() == counts.size()) return;
  const size_t present = counts.size() - absent.size();
  report.warnings.push_back(StrCat("no ", One(UnitOf(report, *row)), " of ", JoinSome(absent, 5), ": ",
                                   absent.size() == 1 ? "its recall is" : "their recalls are",
                                   " not known, and the balanced accuracy is the mean over the other ",
                                   present, present == 1 ? " class" : " classes"));
}

// The one class that is answered for everything.
const ClassCount* OnlyAnswer(const std::vector<ClassCount>& counts, int64_t examples) {
  const auto found = std::find_if(counts.begin(), counts.end(),
                                  [&](const ClassCount& count) { return count.answers == examples; });
  return found == counts.end() ? nullptr : &*found;
}

void RemarkOnClasses(const Report& report, const ModelResult& row, const std::string& name,
                     Remarks& remarks) {
  const std::vector<ClassCount> counts = ClassCountsOf(*row.classification);
  const std::optional<double> balanced = BalancedAccuracyOf(counts);
  if (!balanced) return;
  const std::string percents = AccuraciesText(counts);
  const bool chance = IsAtChance(counts, report.data_examples);
  const std::vector<size_t> never = NeverAnswered(counts);
  const ClassCount* only = chance || !never.empty() ? OnlyAnswer(counts, row.accuracy->total) : nullptr;
  if (only != nullptr) {
    const auto label = static_cast<size_t>(only - counts.data());
    return remarks.Add(StrCat("answers ", ClassSubject(report, label), " for all ",
                              Counted(row.accuracy->total, UnitOf(report, row))),
                       name, percents);
  }
  if (!never.empty())
    remarks.Add(StrCat("never answers ", ClassList(report, row, never, counts)), name, percents);
  if (chance) {
    remarks.Add(GuessingText(counts), name, percents);
  } else if (*balanced < AccuracyOf(counts) - kFarBelow) {
    remarks.Add("rare classes are recognized less often than the accuracy suggests", name, percents);
  }
}

void RemarkOnNumbers(const Report& report, const ModelResult& row, const std::string& name,
                     Remarks& remarks) {
  if (report.data_examples < kLeastForR2) return;
  const RegressionResult& result = *row.regression;
  const auto judge = [&](const ErrorStatistics& errors, const std::string& what) {
    if (!errors.r2 || *errors.r2 >= 0) return;
    remarks.Add(StrCat("worse than always answering the mean of the labels", what), name,
                StrCat("R² ", Significant(*errors.r2)));
  };
  judge(result.all, "");
  // Many, as the places of a map are, are told by their count.
  constexpr int64_t kMostNamed = 5;
  const auto worse = [](const ErrorStatistics& errors) { return errors.r2 && *errors.r2 < 0; };
  const auto count = std::count_if(result.targets.begin(), result.targets.end(), worse);
  if (count > kMostNamed) {
    remarks.Add(StrCat("worse than always answering the mean of the labels, in ", count, " of ",
                       result.targets.size(), " numbers"),
                name);
    return;
  }
  for (size_t i = 0; i < result.targets.size(); ++i)
    judge(result.targets[i], StrCat(", ", NumberSubject(report, i)));
}

// Labels that are never, or always, said to be there although images differ in them.
void RemarkOnLabels(const Report& report, const ModelResult& row, const std::string& name, Remarks& remarks) {
  constexpr int64_t kFew = 20;
  const std::vector<LabelCount>& labels = row.labels->labels;
  for (size_t i = 0; labels.size() > 1 && i < labels.size(); ++i) {
    const LabelCount& count = labels[i];
    if (count.positives < kFew || count.total - count.positives < kFew) continue;
    if (count.answers == 0)
      remarks.Add(StrCat("never answers label '", LabelName(report, i), "', which ",
                         Counted(count.positives, StrCat(ExampleWord(report), "s")), " have"),
                  name);
    if (count.answers == count.total)
      remarks.Add(StrCat("answers label '", LabelName(report, i), "' for all ", ExampleWord(report), "s"),
                  name);
  }
}

// Of two classes, of which one is normal as a rule, that it is not known which.
void RemarkOnAnomalies(Report& report) {
  const bool told = std::any_of(report.models.begin(), report.models.end(),
                                [](const ModelResult& row) { return row.anomaly.has_value(); });
  if (told || report.task != NameOf(Task::kReconstruction) || report.class_names.size() != 2) return;
  report.warnings.push_back(StrCat(
      "no AUC of anomalies, although the data have classes (", JoinSome(report.class_names, 5),
      "): expected examples of the normal class and of others, and a model that says which is normal "
      "(because all examples that it was trained on had that class) or a class 0, which is normal then"));
}

}  // namespace

void AddRemarks(Report& report) {
  RemarkOnAbsentClasses(report);
  RemarkOnAnomalies(report);
  Remarks remarks;
  for (const ModelResult* row : MainRows(report)) {
    const std::string name = ShownName(report, *row);
    if (row->accuracy && row->classification) RemarkOnClasses(report, *row, name, remarks);
    if (row->labels) RemarkOnLabels(report, *row, name, remarks);
    if (row->regression) RemarkOnNumbers(report, *row, name, remarks);
  }
  remarks.AppendTo(report.warnings);
}

}  // namespace qat
