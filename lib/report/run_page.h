// run_page.h: training as one HTML page: curves over steps, ranges of all tensors, what to look at first.
#ifndef QAT_REPORT_RUN_PAGE_H_
#define QAT_REPORT_RUN_PAGE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "report/run_record.h"

namespace qat {

/// More runs than that have no colours that can be told apart.
inline constexpr size_t kMostRunsOfAPage = 6;

/// One file without script or request, light and dark, for phones and desks; runs are overlaid. Everything
/// from outside is escaped. Requires 1 to kMostRunsOfAPage runs.
std::string RunPage(const std::vector<RunRecord>& runs);

}  // namespace qat

#endif  // QAT_REPORT_RUN_PAGE_H_
