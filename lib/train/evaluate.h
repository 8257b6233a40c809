// evaluate.h: accuracy (of classifiers) and loss of a network on labelled images, while it trains.
#ifndef QAT_TRAIN_EVALUATE_H_
#define QAT_TRAIN_EVALUATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/merit.h"
#include "contract/contract.h"
#include "data/dataset.h"
#include "report/answer_facts.h"
#include "train/network.h"
#include "train/output_counts.h"

namespace qat {

/// The answers themselves, counted: of classes, or of real numbers.
struct Answers {
  ClassFacts classes;
  std::optional<NumberFacts> numbers;
  std::vector<Answers> others = {};  ///< of the outputs after the first
};

/// Runs the examples `indices` of `dataset` through the network: dropout off, ranges still. `answers`, where
/// given, is filled too, and so is `counts`. Of several outputs the loss is the sum of theirs times `weights`
/// (not named: 1), numbers as their normalized form. Errors: those of reading.
Expected<Evaluation> Evaluate(Network& network, const Contract& contract, const Dataset& dataset,
                              std::span<const int32_t> indices, bool fake_quantize,
                              Answers* answers = nullptr, const std::map<std::string, double>& weights = {},
                              OutputCounts* counts = nullptr);

}  // namespace qat

#endif  // QAT_TRAIN_EVALUATE_H_
