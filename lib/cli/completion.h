// completion.h: scripts that complete commands, flags and their values in shells.
#ifndef QAT_CLI_COMPLETION_H_
#define QAT_CLI_COMPLETION_H_

#include <string>

#include "cli/command.h"

namespace qat {

/// For /usr/share/bash-completion/completions/PROGRAM; needs nothing but bash.
std::string BashCompletion(const Program& program);
/// For a folder of $fpath, named _PROGRAM.
std::string ZshCompletion(const Program& program);
/// For a folder of $fish_complete_path, named PROGRAM.fish.
std::string FishCompletion(const Program& program);

}  // namespace qat

#endif  // QAT_CLI_COMPLETION_H_
