// screen.h: makes a progress bar give way to what is written on the same terminal.
#ifndef QAT_BASE_SCREEN_H_
#define QAT_BASE_SCREEN_H_

namespace qat {

/// What draws on the last line of the terminal: `hide` takes it off the screen, `show` draws it again.
struct ScreenOwner {
  void (*hide)() = nullptr;
  void (*show)() = nullptr;
};

/// At most one; set before any thread starts.
void SetScreenOwner(ScreenOwner owner);

/// While it lives, nothing is drawn on the last line. Whatever writes messages or results to standard error
/// or standard output holds one meanwhile; they nest.
class ScreenTurn {
 public:
  ScreenTurn();
  ~ScreenTurn();
  ScreenTurn(const ScreenTurn&) = delete;
  ScreenTurn& operator=(const ScreenTurn&) = delete;
};

}  // namespace qat

#endif  // QAT_BASE_SCREEN_H_
