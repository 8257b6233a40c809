// sample_program.h: a program with two commands, whose flags are of every kind.
#ifndef QAT_TESTS_CLI_SAMPLE_PROGRAM_H_
#define QAT_TESTS_CLI_SAMPLE_PROGRAM_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/flag_table.h"

namespace qat::testing {

struct SampleValues {
  std::vector<std::string> models;
  std::string file, data, kernels = "fast", note;
  int32_t batch = 8;
  std::optional<double> max_drop;
  bool operators = false, strict = false;
};

inline Command SampleCommand(const std::string& name, const std::string& description) {
  Command command;
  command.name = name;
  command.description = description;
  command.examples = "  qat-sample " + name + " a.tflite\n";
  command.app = std::make_shared<CLI::App>(description, name);
  command.app->option_defaults()->always_capture_default();
  command.app->set_help_flag("-h", "show the usual flags and stop")->group("Common");
  command.app->set_help_all_flag("--help", "show all flags and stop")->group("Common");
  return command;
}

/// `values` must outlive the program.
inline Program SampleProgram(SampleValues& values) {
  Program program{"qat-sample", "Compares things.", "  qat-sample a.tflite\n", {}};
  program.commands.push_back(SampleCommand("compare", "Compares models."));
  program.commands.push_back(SampleCommand("bench", "Measures models."));
  const std::vector<FlagRow> rows = {
      {"models", &values.models, "MODEL...", "the models", 3},
      {"--model", &values.models, "FILE", "a model; can be repeated", 3},
      {"--data", &values.data, "DATA", "the images", 1},
      {"--max-drop", &values.max_drop, "X", "most points it may lose", 1},
      {"--strict", &values.strict, "", "stop at the first [broken] picture: don't go on", 1},
      {"-b,--batch", &values.batch, "N", "images at once", 2},
      {"--kernels", &values.kernels, "fast|reference", "which loops compute", 3},
      {"--operators", &values.operators, "", "every operator, too", 2},
      {"--note", &values.note, "TEXT", "any text (default: that of the file)", 2},
  };
  AddFlags(program.commands[0], 1, "How", rows);
  AddFlags(program.commands[1], 2, "How", rows);
  program.commands[0].usual = {"models", "--data", "--max-drop"};
  program.commands[1].usual = {"models", "--batch"};
  program.commands[1].without_effect = {"--seed"};
  program.old_spellings = {{"--trace", "bench"}, {"--bench", "bench"}, {"--batch", "bench"}};
  return program;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_CLI_SAMPLE_PROGRAM_H_
