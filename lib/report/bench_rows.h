// bench_rows.h: the results of `bench` and of `trace` as rows of text, the heads first: one content for
// table, page and Markdown.
// For .cc files of this layer.
#ifndef QAT_REPORT_BENCH_ROWS_H_
#define QAT_REPORT_BENCH_ROWS_H_

#include <string>
#include <vector>

#include "report/report.h"
#include "report/table_parts.h"

namespace qat {

/// Model, batch, threads, times in µs, images per second, and the ratio to the first model.
std::vector<TableRow> TimeRows(const Report& report);

/// Model, batch, what a start takes in µs, and memory.
std::vector<TableRow> StartRows(const Report& report);

/// Operator, kernel, shape, time in µs, share of the sum, speed; and each kernel with its reason, once,
/// without heads.
std::vector<TableRow> OperatorRows(const BenchmarkResult& result);
std::vector<TableRow> KernelRows(const BenchmarkResult& result);

/// "m.tflite, batch 32, 4 threads"; one thread is not named.
std::string BenchmarkName(const BenchmarkResult& result);

/// "median 51.2 µs, p99 60.1 µs, 19,531 images/s".
std::string BenchmarkSentence(const BenchmarkResult& result);

/// The SHA-256 of a link that was found as it should be, whole even where a model names only its first
/// digits; else what was expected.
std::string LinkHash(const TraceLink& link);

/// What else is known of a link: the hash of what took its place, shortened to `digits`, and its note; may be
/// empty.
std::string LinkNote(const TraceLink& link, size_t digits);

/// "graph differs: g.qgraph is 9f…, expected 82fc…".
std::string LinkSentence(const TraceLink& link);

}  // namespace qat

#endif  // QAT_REPORT_BENCH_ROWS_H_
