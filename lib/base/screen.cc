#include "base/screen.h"

namespace qat {
namespace {

ScreenOwner screen_owner;

}  // namespace

void SetScreenOwner(ScreenOwner owner) { screen_owner = owner; }

ScreenTurn::ScreenTurn() {
  if (screen_owner.hide != nullptr) screen_owner.hide();
}

ScreenTurn::~ScreenTurn() {
  if (screen_owner.show != nullptr) screen_owner.show();
}

}  // namespace qat
