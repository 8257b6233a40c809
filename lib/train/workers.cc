#include "train/workers.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "base/strings.h"

#ifdef QAT_WITH_GLOO
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ATen/ops/from_blob.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace qat {

std::string Workers::Broadcast(const std::string& text) {
  // Numbers below 2^24 are exact in float32.
  std::vector<float> size = {static_cast<float>(text.size())};
  Broadcast(size);
  std::vector<float> letters(static_cast<size_t>(size[0]));
  for (size_t i = 0; i < std::min(letters.size(), text.size()); ++i)
    letters[i] = static_cast<uint8_t>(text[i]);
  Broadcast(letters);
  std::string result;
  for (const float letter : letters) result += static_cast<char>(static_cast<uint8_t>(letter));
  return result;
}

#ifdef QAT_WITH_GLOO
namespace {

constexpr std::chrono::minutes kPatience{
    10};  // for a process that starts late: it may have to read its data first
// For one that computes: rank 0 evaluates and writes while the others wait.
constexpr std::chrono::hours kSilence{6};

class GlooWorkers final : public Workers {
 public:
  GlooWorkers(WorkerPlace place, c10::intrusive_ptr<c10d::ProcessGroupGloo> group)
      : Workers(std::move(place)), group_(std::move(group)) {}

  void Sum(std::span<float> values) override { Reduce(values, at::kFloat, c10d::ReduceOp::SUM); }
  void Sum(std::span<double> values) override { Reduce(values, at::kDouble, c10d::ReduceOp::SUM); }
  void Minimum(std::span<float> values) override { Reduce(values, at::kFloat, c10d::ReduceOp::MIN); }
  void Broadcast(std::span<float> values) override {
    Wait(values, at::kFloat, [&](std::vector<at::Tensor>& tensors) { return group_->broadcast(tensors); });
  }
  using Workers::Broadcast;

 private:
  template <class T>
  void Reduce(std::span<T> values, at::ScalarType type, c10d::ReduceOp::RedOpType operation) {
    c10d::AllreduceOptions options;
    options.reduceOp = operation;
    Wait(values, type, [&](std::vector<at::Tensor>& tensors) { return group_->allreduce(tensors, options); });
  }

  template <class T, class Start>
  void Wait(std::span<T> values, at::ScalarType type, Start start) {
    if (values.empty()) return;
    std::vector<at::Tensor> tensors = {
        at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, type)};
    try {
      start(tensors)->wait();
    } catch (const std::exception&) {
      throw WorkerLost(StrCat("another of the ", place().size, " processes has ended or does not answer"));
    }
  }

  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

// GLOO_SOCKET_IFNAME: as PyTorch has it.
auto DeviceOf(const WorkerPlace& place) {
  if (const char* name = std::getenv("GLOO_SOCKET_IFNAME"))
    return c10d::ProcessGroupGloo::createDeviceForInterface(name);
  if (place.local_size == place.size) return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  return c10d::ProcessGroupGloo::createDefaultDevice();
}

// Whether the attempt succeeds within `milliseconds`.
bool Connects(int descriptor, const addrinfo& address, int milliseconds) {
  if (connect(descriptor, address.ai_addr, address.ai_addrlen) == 0) return true;
  pollfd wait = {descriptor, POLLOUT, 0};
  if (errno != EINPROGRESS || poll(&wait, 1, milliseconds) != 1) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

// Whether somebody listens there. c10d would write of every attempt that fails to standard error.
bool Listens(const std::string& host, int port) {
  constexpr int kTryFor = 500;  // milliseconds
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return true;  // c10d says why
  bool listens = false;
  for (const addrinfo* each = found; each != nullptr && !listens; each = each->ai_next) {
    const int descriptor =
        socket(each->ai_family, each->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, each->ai_protocol);
    if (descriptor < 0) continue;
    listens = Connects(descriptor, *each, kTryFor);
    close(descriptor);
  }
  freeaddrinfo(found);
  return listens;
}

// The store would wait by itself, where nothing can interrupt it.
class Meeting {
 public:
  using Store = c10::intrusive_ptr<c10d::TCPStore>;

  Meeting(const WorkerPlace& place, const std::function<bool()>& interrupted,
          const std::function<void(const std::string&)>& on_wait)
      : place_(place), interrupted_(interrupted), on_wait_(on_wait) {}

  /// Throws what the store throws where a process is missing after `kPatience`, or the port is taken.
  Expected<Store> Meet() {
    Store store;
    while (!store) {
      store = Connect();
      if (!store) QAT_RETURN_IF_ERROR(Wait("rank 0"));
    }
    const std::string alike = StrCat("qat/size/", place_.size);
    store->add(alike, 1);
    if (store->add(StrCat("qat/rank/", place_.rank), 1) > 1)
      return InvalidArgument(StrCat("RANK: another process at ", Where(), " is process ", place_.rank,
                                    " too, expected another number for each"));
    int64_t here = store->add(kJoined, 1);
    while (true) {
      // Whoever has joined has said its size before.
      if (store->add(alike, 0) < here)
        return InvalidArgument(StrCat("WORLD_SIZE: is ", place_.size, " for process ", place_.rank,
                                      ", and another at ", Where(),
                                      " has another, expected the same for all"));
      if (here >= place_.size) break;
      QAT_RETURN_IF_ERROR(Wait(StrCat(place_.size - here, " of ", place_.size, " processes")));
      here = store->add(kJoined, 0);
    }
    store->setTimeout(kPatience);
    return store;
  }

 private:
  static constexpr char kJoined[] = "qat/joined";
  static constexpr std::chrono::seconds kTry{10}, kBeforeNote{3};
  static constexpr std::chrono::milliseconds kPause{100};

  /// Null: rank 0 does not listen yet.
  Store Connect() {
    if (!place_.writes() && Waited() <= kPatience && !Listens(place_.address, place_.port)) return {};
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(place_.port);
    options.isServer = place_.writes();
    options.numWorkers = static_cast<size_t>(place_.size);
    options.waitWorkers = false;
    options.timeout = kTry;
    try {
      return c10::make_intrusive<c10d::TCPStore>(place_.address, options);
    } catch (const std::exception&) {
      if (place_.writes() || Waited() > kPatience) throw;
      return {};
    }
  }

  Status Wait(const std::string& whom) {
    const std::string where = Where();
    if (interrupted_ && interrupted_())
      return Error{ErrorCode::kInterrupted, StrCat("interrupted while it waited for ", whom, " at ", where)};
    if (Waited() > kPatience) throw std::runtime_error(StrCat("no sign of ", whom, " in ten minutes"));
    if (!told_ && Waited() > kBeforeNote && on_wait_) {
      on_wait_(StrCat("waiting for ", whom, " at ", where, ", at most ten minutes"));
      told_ = true;
    }
    std::this_thread::sleep_for(kPause);
    return {};
  }

  std::string Where() const { return StrCat(place_.address, ":", place_.port); }
  std::chrono::steady_clock::duration Waited() const { return std::chrono::steady_clock::now() - start_; }

  const WorkerPlace& place_;
  const std::function<bool()>& interrupted_;
  const std::function<void(const std::string&)>& on_wait_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool told_ = false;
};

}  // namespace

Expected<std::unique_ptr<Workers>> Workers::Join(const WorkerPlace& place,
                                                 const std::function<bool()>& interrupted,
                                                 const std::function<void(const std::string&)>& on_wait) {
  const std::string where = StrCat(place.address, ":", place.port);
  try {
    QAT_ASSIGN_OR_RETURN(auto store, Meeting(place, interrupted, on_wait).Meet());
    auto gloo = c10d::ProcessGroupGloo::Options::create();
    gloo->timeout = kSilence;
    gloo->devices = {DeviceOf(place)};
    gloo->threads = 1;  // calls wait for one another anyway
    auto group = c10::make_intrusive<c10d::ProcessGroupGloo>(store, place.rank, place.size, gloo);
    return std::unique_ptr<Workers>(std::make_unique<GlooWorkers>(place, std::move(group)));
  } catch (const std::exception& exception) {
    return IoError(StrCat("process ", place.rank, " of ", place.size, " cannot join the others at ", where,
                          ": ", SplitText(exception.what(), '\n')[0],
                          "; expected every process to have the same MASTER_ADDR and MASTER_PORT, and that "
                          "port to be free at rank 0"));
  }
}
#else
Expected<std::unique_ptr<Workers>> Workers::Join(const WorkerPlace& place, const std::function<bool()>&,
                                                 const std::function<void(const std::string&)>&) {
  return Unsupported(
      StrCat("this build trains in one process, but the environment says ", place.size,
             " (WORLD_SIZE); unset RANK and WORLD_SIZE, or build with Gloo's headers (libgloo-dev)"));
}
#endif

}  // namespace qat
