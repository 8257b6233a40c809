// main_rows.h: which rows of a report are compared with which: the float network, the integer models made of
// it, witnesses.
#ifndef QAT_REPORT_MAIN_ROWS_H_
#define QAT_REPORT_MAIN_ROWS_H_

#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace qat {

/// The run of --float, lowered to a float .tflite in memory: its time is that of our runtime, not of
/// LibTorch.
inline constexpr char kFloatGraphName[] = "float-graph";

/// Null: there is none of this name.
const ModelResult* RowNamed(const Report& report, std::string_view name);

/// The row that accuracy of .tflite models is held against: "float", else "checkpoint", else "graph", else
/// the first model where there are several; null: none.
const ModelResult* ReferenceRow(const Report& report);

/// The row that time and size of a .tflite model or of the simulation are compared with: the float model of
/// the same network in our runtime. That is "float-graph", else the one made from the same frozen graph, else
/// "graph", else the first float .tflite model; of a float .tflite model only one of the rows before it.
/// Null: there is none.
const ModelResult* FloatModelFor(const Report& report, const ModelResult& row);

/// What the headline compares the row with: FloatModelFor, else ReferenceRow; null: nothing, or the row
/// itself.
const ModelResult* HeadlineReference(const Report& report, const ModelResult& row);

/// The rows that answer what was asked, in the order of the report: all .tflite models and what they are
/// compared with; all rows where there is no model.
std::vector<const ModelResult*> MainRows(const Report& report);

/// The pair of two rows; null: they were not compared.
const PairResult* PairOf(const Report& report, std::string_view a, std::string_view b);

/// Its tensors between layers are real numbers, however its weights are stored.
bool ComputesInFloat(const ModelResult& row);

/// Some of its layers are of another type than the others: of 16 bits, or of real numbers.
bool HasLayersApart(const ModelResult& row);
/// Among them, layers of real numbers.
bool HasLayersInFloat(const ModelResult& row);

/// The row's name in tables and warnings: "float (graph)" for a graph that stands for the float network
/// beside models.
std::string ShownName(const Report& report, const ModelResult& row);

/// What a gate held its model against, with a word on what it is: "checkpoint (its weights in float)".
std::string ReferenceText(const Report& report, const GateResult& gate);

/// Bytes of the .tflite that runs: of a graph those of the model it is lowered to.
int64_t ModelBytes(const ModelResult& row);

}  // namespace qat

#endif  // QAT_REPORT_MAIN_ROWS_H_
