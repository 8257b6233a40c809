// hash.h: SHA-256, so that a provenance entry can be checked with sha256sum. OpenSSL does the work.
#ifndef QAT_BASE_HASH_H_
#define QAT_BASE_HASH_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace qat {

/// 64 lower-case hexadecimal digits.
std::string Sha256(std::span<const uint8_t> bytes);
std::string Sha256(std::string_view text);

/// The same over pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void Update(std::span<const uint8_t> bytes);
  void Update(std::string_view text);
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qat

#endif  // QAT_BASE_HASH_H_
