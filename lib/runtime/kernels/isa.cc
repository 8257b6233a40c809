#include "runtime/kernels/isa.h"

#ifdef QAT_ARM_KERNELS
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif
#ifdef QAT_X86_KERNELS
#include <cpuid.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>

#include "base/strings.h"

namespace qat {
namespace {

constexpr std::string_view kNames[] = {"portable", "avx2", "avxvnni", "avx512vnni", "neon", "neondot"};

// __builtin_cpu_supports also asks whether the system saves the wide registers.
std::vector<Isa> Detect() {
  std::vector<Isa> isas = {Isa::kPortable};
#ifdef QAT_X86_KERNELS
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return isas;
  isas.push_back(Isa::kAvx2);
  const bool avx512vnni = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512vnni");
  if (avx512vnni || HasAvxVnniEncoding()) isas.push_back(Isa::kAvxVnni);
  if (avx512vnni) isas.push_back(Isa::kAvx512Vnni);
#endif
#ifdef QAT_ARM_KERNELS
  isas.push_back(Isa::kNeon);
  // Products that are rounded, doubled and added came with Armv8.1, dot products with 8.2: each has a bit of
  // its own.
  constexpr unsigned long kWanted = HWCAP_ASIMDRDM | HWCAP_ASIMDDP;
  if ((getauxval(AT_HWCAP) & kWanted) == kWanted) isas.push_back(Isa::kNeonDot);
#endif
  return isas;
}

std::string NamesOf(const std::vector<Isa>& isas) {
  std::vector<std::string> names;
  for (Isa isa : isas) names.emplace_back(NameOf(isa));
  return Join(names, ", ");
}

}  // namespace

bool HasAvxVnniEncoding() {
#ifdef QAT_X86_KERNELS
  // Bit 4 of EAX, leaf 7, subleaf 1; the compilers' own names for it are newer than the compilers that we
  // build with.
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 &&
         (eax >> 4 & 1) != 0;
#else
  return false;
#endif
}

std::string_view NameOf(Isa isa) { return kNames[static_cast<size_t>(isa)]; }

const std::vector<Isa>& AvailableIsas() {
  static const std::vector<Isa> kAvailable = Detect();
  return kAvailable;
}

Expected<Isa> ChooseIsa(std::string_view forced) {
  const std::vector<Isa>& available = AvailableIsas();
  if (forced.empty()) return available.back();
  for (Isa isa : available) {
    if (NameOf(isa) == forced) return isa;
  }
  const bool known = std::find(std::begin(kNames), std::end(kNames), forced) != std::end(kNames);
  return InvalidArgument(
      StrCat("QAT_FORCE_ISA is '", forced, "', which is no ",
             known ? "instruction set of this machine or build" : "instruction set known here",
             "; there are ", NamesOf(available)));
}

Expected<Isa> ChooseIsa() {
  const char* forced = std::getenv("QAT_FORCE_ISA");
  return ChooseIsa(forced == nullptr ? std::string_view() : std::string_view(forced));
}

}  // namespace qat
