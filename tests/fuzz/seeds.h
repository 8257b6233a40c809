// seeds.h: valid files to begin with. What is large is made when it is asked for; nothing of it is committed.
#ifndef QAT_TESTS_FUZZ_SEEDS_H_
#define QAT_TESTS_FUZZ_SEEDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "ir/graph.h"

namespace qat::fuzz {

/// The files of `folder` below the source tree whose names end so, none larger than 64 KiB, in the order of
/// their names.
std::vector<Bytes> FilesOfTree(std::string_view folder, std::string_view ending);

/// A checkpoint of each network in tests/specs, small and with random weights and ranges, and the tests' tiny
/// one.
const std::vector<Checkpoint>& SeedCheckpoints();

/// The frozen graph of each.
const std::vector<Graph>& SeedGraphs();

/// Models of each kind of random operator, and what the graphs become in every type.
const std::vector<Bytes>& SeedModels();

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_SEEDS_H_
