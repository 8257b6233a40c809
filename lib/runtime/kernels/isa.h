// isa.h: the instruction sets that kernels are written for, which of them this machine has, and which one
// runs.
#ifndef QAT_RUNTIME_KERNELS_ISA_H_
#define QAT_RUNTIME_KERNELS_ISA_H_

#include <string_view>
#include <vector>

#include "base/expected.h"

namespace qat {

/// The better ones of a machine later.
enum class Isa {
  kPortable,    ///< C++ that the compiler vectorizes for the baseline of the machine
  kAvx2,        ///< AVX2 and FMA: 16-bit products, 256-bit registers
  kAvxVnni,     ///< 8-bit dot products, 256-bit registers: AVX-VNNI, or VNNI with AVX-512 VL
  kAvx512Vnni,  ///< AVX-512 F, BW, DQ, VL and VNNI: 8-bit dot products, 512-bit registers
  kNeon,        ///< AArch64's own vectors: 16-bit products, 128-bit registers
  kNeonDot,     ///< the same with 8-bit dot products (and what else Armv8.2 adds)
};

/// "portable", "avx2", "avxvnni", "avx512vnni", "neon", "neondot": the folder of its kernels, the tail of
/// their names, the value of QAT_FORCE_ISA.
std::string_view NameOf(Isa isa);

/// True where kAvxVnni has instructions of its own; else it is encoded as AVX-512 VL.
bool HasAvxVnniEncoding();

/// Those that this build has kernels for and both processor and system support; ascending, never empty.
const std::vector<Isa>& AvailableIsas();

/// The best one available, or the one named by `forced` unless that is empty.
/// Errors: kInvalidArgument (no such name, or not available here).
Expected<Isa> ChooseIsa(std::string_view forced);

/// ChooseIsa of the environment variable QAT_FORCE_ISA.
Expected<Isa> ChooseIsa();

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_ISA_H_
