// headline.h: what a report says in a sentence: how much smaller and faster integers are than float, and at
// what cost.
#ifndef QAT_REPORT_HEADLINE_H_
#define QAT_REPORT_HEADLINE_H_

#include <string>
#include <vector>

#include "report/report.h"

namespace qat {

/// "3.8 × smaller, 2.6 × faster than float, accuracy −0.03 points, not distinguishable on 10,000 images;
/// every byte as TFLite's.": one sentence per .tflite model (of the simulation where there is no model), with
/// the model's name in front where there are several. Each clause stands only if it was measured in this run:
/// times of two rows of our runtime, sizes of two .tflite files, answers compared image by image, outputs
/// compared with a witness. A model with nothing to compare it with has none.
std::vector<std::string> Headlines(const Report& report);

/// "digits: 10,000 images"; "digits: 1,000 of 10,000 images (10 %, a sample)".
std::string DataText(const Report& report);

/// "all 3 gates passed", "1 of 3 gates failed", "1 check failed": only gates that were set are counted;
/// checks that are made unasked are told where they failed. Of a way back, TraceVerdict. Empty: no gate was
/// set, and no check failed.
std::string VerdictText(const Report& report);

}  // namespace qat

#endif  // QAT_REPORT_HEADLINE_H_
