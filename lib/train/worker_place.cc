#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/strings.h"
#include "train/workers.h"

namespace qat {
namespace {

constexpr int kDefaultPort = 29500;  // of PyTorch's TCPStore
constexpr int kMostProcesses = 4096;

std::optional<std::string> Variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Expected<int> Number(const char* name, const std::string& text, int low, int high) {
  const std::optional<int> number = ParseNumber<int>(text);
  if (number && *number >= low && *number <= high) return *number;
  return InvalidArgument(StrCat("environment variable ", name, ": '", text,
                                "', expected a whole number from ", low, " to ", high,
                                "; unset RANK and WORLD_SIZE to train in one process"));
}

struct Names {
  const char *rank, *size, *local_size;
};

}  // namespace

Expected<WorkerPlace> PlaceFromEnvironment() {
  constexpr Names kTorch = {"RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"};
  constexpr Names kOpenMpi = {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"};
  WorkerPlace place;
  const bool torch = Variable(kTorch.rank) || Variable(kTorch.size);
  const Names names = torch ? kTorch : kOpenMpi;
  const auto rank = Variable(names.rank), size = Variable(names.size), local = Variable(names.local_size);
  if (!rank && !size) return place;
  if (!rank || !size) {
    return InvalidArgument(StrCat("environment variable ", rank ? names.rank : names.size, " is set, but ",
                                  rank ? names.size : names.rank,
                                  " is not; expected both, as a launcher sets them, or neither"));
  }
  QAT_ASSIGN_OR_RETURN(place.size, Number(names.size, *size, 1, kMostProcesses));
  QAT_ASSIGN_OR_RETURN(place.rank, Number(names.rank, *rank, 0, place.size - 1));
  if (place.alone()) return place;
  if (local) {
    QAT_ASSIGN_OR_RETURN(place.local_size, Number(names.local_size, *local, 1, place.size));
  }
  const auto address = Variable("MASTER_ADDR");
  if (!address && place.local_size != place.size) {
    return InvalidArgument(
        StrCat("environment variable MASTER_ADDR is not set, expected the address of the machine of rank 0: "
               "process ",
               place.rank, " of ", place.size, " has to find it"));
  }
  place.address = address.value_or("127.0.0.1");
  const auto port = Variable("MASTER_PORT");
  place.port = kDefaultPort;
  if (port) {
    QAT_ASSIGN_OR_RETURN(place.port, Number("MASTER_PORT", *port, 1, 65534));
  }
  if (Variable("TORCHELASTIC_USE_AGENT_STORE") == "True") ++place.port;
  return place;
}

WorkerShare ShareOf(const WorkerPlace& place, int64_t count) {
  return {count * place.rank / place.size, count * (place.rank + 1) / place.size};
}

}  // namespace qat
