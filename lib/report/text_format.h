// text_format.h: numbers as people read them in the table and on the page.
#ifndef QAT_REPORT_TEXT_FORMAT_H_
#define QAT_REPORT_TEXT_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "report/report.h"

namespace qat {

/// "65,432".
std::string Grouped(int64_t value);

/// With so many decimals: Fixed(97.519, 2) is "97.52". Never "-0.00"; a value that is not finite gives "-".
std::string Fixed(double value, int decimals);

/// Three significant digits where that is readable: "0.00392", "12.7", "110".
std::string Significant(double value);

/// What the rows are judged by, as two columns of a table: accuracy and its interval; accuracy and mean IoU
/// where each pixel has a label; RMSE and R² of real numbers.
struct QualityColumns {
  std::string first, second;
};
QualityColumns QualityHeads(const Report& report);
QualityColumns QualityCells(const Report& report, const ModelResult& model);

/// The rows' answers are real numbers.
bool IsRegression(const Report& report);

/// What two rows' answers say of their quality, as columns: flips, drop, whether the accuracy differs; of
/// real numbers: images with larger errors, the rise of the RMSE, whether the errors differ.
struct PairColumns {
  std::string flips, drop, resolved;
};
PairColumns PairHeads(const Report& report);
PairColumns PairCells(const Report& report, const PairResult& pair);

/// "97.52 %" with as many decimals as the number of examples resolves, at least two; "-" without an accuracy.
std::string PercentText(const ModelResult& model);

/// "[99.10, 99.42] %": what the number of examples leaves open; "-" without.
std::string AccuracyIntervalText(const ModelResult& model);

/// "a difference (p 0.012)"; "not distinguishable on 10,000 images (p 0.34)", where chance alone would show
/// as much; "no label differs"; "-" without a p value.
std::string ResolvedText(const PairResult& pair, const Report& report);

/// "+0.06 pt [-0.05, +0.17]", "2.10x [2.08, 2.13]"; the intervals only where they are known, "-" without a
/// speed-up.
std::string DropText(const PairResult& pair);
std::string SpeedupText(const PairResult& pair);

/// "+0.10 pt", "-0.02 pt", "0.00 pt"; with more digits where two show nothing: "+0.002 pt".
std::string PointsText(double points);

/// "3 (2 right to wrong, 1 wrong to right)"; "0".
std::string FlipsText(const PairResult& pair);

/// "0 steps", "1 step (9,998 of 10,000 images equal)", "1.2e-07", "-": the largest difference of outputs in
/// the finest unit known.
std::string DifferenceText(const Report& report, const PairResult& pair);

/// "conv2 (conv_2d, operator 2)"; "the input layer".
std::string PlaceText(const std::string& layer, const std::string& op, int64_t index);

/// The class's name, else its number.
std::string ClassText(const Report& report, int32_t label);

/// "class 'cat'", "class 3": what of a model a gate judges.
std::string ClassSubject(const Report& report, size_t label);

/// "number 1": one of several real numbers.
std::string NumberSubject(const Report& report, size_t index);
/// "mass", or "1" where it has no name.
std::string NumberName(const Report& report, size_t index);

/// "rain", or "3": of one label among several, of the second of two classes.
std::string LabelName(const Report& report, size_t index);

/// "cat (51.2 %)": the class answered and how sure; "cat" where that is not known.
std::string AnswerText(const Report& report, int32_t answer, const std::optional<double>& confidence);

/// "first in conv2 (conv_2d, operator 2), image 17: 3 of 1,600 values, up to 1 step"; where scale or zero
/// point differ, both.
std::string FirstDifferenceText(const LayerDifference& difference);

/// "20 of 32 channels coarse, the worst has 2 steps", "all 32 channels have 31 steps and more".
std::string FilterText(const FilterResolution& filter);

/// "conv2 (conv_2d, operator 2), 21.4 dB, 12 % of its range used".
std::string LayerText(const LayerError& layer);

/// "31.2 dB"; "-" where there is no noise or no signal.
std::string DecibelText(const std::optional<double>& decibels);

/// "99.31 %", "65,432 B", "2.10x", "110.3 µs": a gate's number in the unit of its kind.
std::string GateNumber(const GateResult& gate, double number);

/// "max-drop"; "max-steps (default)" of a check that is made whether or not a limit was set.
std::string GateTitle(const GateResult& gate);

/// "max-drop of m.tflite against float: 0.12 pt, limit 0.10 pt"; the p value and the note after it, where
/// there are any.
std::string GateSentence(const GateResult& gate);

/// One sentence on a way back: where it breaks, or what is not here, or that it is whole.
std::string TraceVerdict(const std::vector<TraceLink>& links);

/// "other processes took 83 % of the processors, the hypervisor 3 %"; "something disturbed the times", where
/// only the noise tells; "a quiet machine".
std::string DisturbanceText(const TimingConditions& timing);

/// "measurement noise 1.2 %; one processor, governor performance, load 2.31 on 4 processors": how times were
/// taken.
std::string TimingText(const TimingConditions& timing);

/// "10 rounds", "1 round"; "all rounds" where rows differ or nothing is known.
std::string RoundsText(const Report& report);

/// "500 of 4,000 images (12.5 %, a sample)"; "4,000 images" of all.
std::string ExamplesText(const Report& report);

/// "1 image", "10,000 images"; of data that are no images "500 examples".
std::string Counted(int64_t count, const Report& report);
/// "image"; of a table or a series "example".
std::string_view ExampleWord(const Report& report);

}  // namespace qat

#endif  // QAT_REPORT_TEXT_FORMAT_H_
