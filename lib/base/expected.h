// expected.h: the result of everything that depends on a file or a user. C++20 has no std::expected.
#ifndef QAT_BASE_EXPECTED_H_
#define QAT_BASE_EXPECTED_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace qat {

/// What went wrong, in the classes that the exit codes of the tools distinguish (docs/design.md, section 4).
enum class ErrorCode {
  kInvalidArgument,  ///< a flag, a configuration or a spec is wrong: exit 2
  kNotFound,         ///< an input is not there or cannot be opened for reading: exit 3
  kCorrupt,          ///< an input is malformed, or contradicts its contract: exit 3
  kUnsupported,      ///< understood, but outside what this build can do; all items are listed: exit 4
  kNumerical,        ///< NaN, divergence, unsettled ranges: exit 5
  kIoError,          ///< writing failed, disk full: exit 6
  kSystem,           ///< memory, CPU feature, operating system: exit 6
  kInterrupted,      ///< SIGINT or SIGTERM, state saved: exit 130 or 143
  kInternal,         ///< a bug of ours: exit 70
};

/// One clear sentence without a trailing period: "FILE: place: value, expected what".
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  /// Returns the error with "context: " put in front; each level of the call chain adds one phrase.
  Error Prefixed(std::string_view context) && {
    message.insert(0, ": ");
    message.insert(0, context);
    return std::move(*this);
  }
};

/// A value or an Error. Reading the value of a failed result is a programmer error and stops the program.
template <class T>
class [[nodiscard]] Expected {
 public:
  using value_type = T;
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    QAT_CHECK(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    QAT_CHECK(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    QAT_CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    QAT_CHECK(!ok());
    return std::get<1>(state_);
  }
  Error&& error() && {
    QAT_CHECK(!ok());
    return std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  using value_type = void;
  Expected() = default;
  Expected(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    QAT_CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    QAT_CHECK(!ok());
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Expected<void>;

inline Error InvalidArgument(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}
inline Error NotFound(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }
inline Error Corrupt(std::string message) { return {ErrorCode::kCorrupt, std::move(message)}; }
inline Error Unsupported(std::string message) { return {ErrorCode::kUnsupported, std::move(message)}; }
inline Error Numerical(std::string message) { return {ErrorCode::kNumerical, std::move(message)}; }
inline Error IoError(std::string message) { return {ErrorCode::kIoError, std::move(message)}; }
inline Error SystemError(std::string message) { return {ErrorCode::kSystem, std::move(message)}; }
inline Error Internal(std::string message) { return {ErrorCode::kInternal, std::move(message)}; }

}  // namespace qat

#define QAT_CONCAT_INNER(a, b) a##b
#define QAT_CONCAT(a, b) QAT_CONCAT_INNER(a, b)

/// Returns the error of `expression` from the enclosing function, if it failed.
#define QAT_RETURN_IF_ERROR(expression)                     \
  do {                                                      \
    if (auto qat_status = (expression); !qat_status.ok()) { \
      return std::move(qat_status).error();                 \
    }                                                       \
  } while (false)

/// The same, with "context: " put in front of the message. `context` is evaluated on failure only.
#define QAT_RETURN_IF_ERROR_IN(context, expression)           \
  do {                                                        \
    if (auto qat_status = (expression); !qat_status.ok()) {   \
      return std::move(qat_status).error().Prefixed(context); \
    }                                                         \
  } while (false)

#define QAT_ASSIGN_OR_RETURN_IMPL(temporary, lhs, expression, on_error) \
  auto temporary = (expression);                                        \
  if (!temporary.ok()) return std::move(temporary).error() on_error;    \
  lhs = *std::move(temporary)

/// Assigns the value of `expression` to `lhs` (which may declare), or returns its error.
#define QAT_ASSIGN_OR_RETURN(lhs, expression) \
  QAT_ASSIGN_OR_RETURN_IMPL(QAT_CONCAT(qat_expected_, __LINE__), lhs, expression, )

/// The same, with "context: " put in front of the message.
#define QAT_ASSIGN_OR_RETURN_IN(context, lhs, expression) \
  QAT_ASSIGN_OR_RETURN_IMPL(QAT_CONCAT(qat_expected_, __LINE__), lhs, expression, .Prefixed(context))

#endif  // QAT_BASE_EXPECTED_H_
