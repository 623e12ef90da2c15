// Pays once, with an Arduino whose Serial1 is joined to the module's UART.
//
// SPDX-License-Identifier: Apache-2.0
#include <boat.h>

static struct boat boat;
static struct boat_tx tx;
static uint32_t id;

static int portRead(void *) { return Serial1.read(); }
static size_t portWrite(void *, const char *bytes, size_t n) {
  size_t room = (size_t)Serial1.availableForWrite();
  return Serial1.write((const uint8_t *)bytes, n < room ? n : room);
}
static uint32_t portNow(void *) { return millis(); }
static void onEvent(void *, const struct boat_event *e) {
  if (e->kind == BOAT_EVENT_URC) {
    Serial.println(e->name);
  }
}

// Lets a second pass before a command is given again.
static void rest() {
  unsigned long begin = millis();
  while (millis() - begin < 1000) {
    boat_poll(&boat);
  }
}

// Unlocks the module, where that takes no more than the PIN. A PIN that was
// wrong is not given again: after ten the PUK is asked for.
static int unlock() {
  struct boat_pin pin;
  int code = boat_do(&boat, boat_pin(&boat, &pin));
  if (code != BOAT_OK || pin.state == BOAT_PIN_READY) {
    return code;
  }
  if (pin.state == BOAT_PIN_NONE) {
    return boat_do(&boat, boat_pin_set(&boat, "", "2580", "13572468"));
  }
  return pin.state == BOAT_PIN_NEEDED ? boat_do(&boat, boat_pin_enter(&boat, "2580")) : BOAT_CODE_BLOCKED;
}

// Says whether a command is to be given again. Nothing is done twice: wallets
// are made once, and an order has its reference.
static bool again(int code) {
  if (code == BOAT_CODE_LOCKED) {
    code = unlock();
    if (code == BOAT_OK) {
      return true;
    }
  }
  switch (code) {
  case BOAT_E_TIMEOUT:
  case BOAT_E_LOST:
  case BOAT_E_ANSWER:
  case BOAT_E_CLOSED:
  case BOAT_CODE_BUSY:
  case BOAT_CODE_STARTING:
  case BOAT_CODE_NO_BEARER:
  case BOAT_CODE_TIMEOUT:
  case BOAT_CODE_UNREACHABLE:
    rest();
    return true;
  default: // BOAT_CODE_WRONG_PIN and BOAT_CODE_BLOCKED are among them
    return false;
  }
}

void setup() {
  Serial.begin(115200);
  Serial1.begin(115200);
  static const struct boat_port port = {portRead, portWrite, portNow, onEvent, nullptr};
  boat_init(&boat, &port, BOAT_URC_TX);

  int code = unlock();
  while (code != BOAT_OK && again(code)) {
    code = unlock();
  }
  if (code != BOAT_OK) {
    Serial.println("locked");
    return;
  }

  char address[48];
  do {
    code = boat_do(&boat, boat_wallet(&boat, "w0", "main", nullptr, address, sizeof address));
  } while (code != BOAT_OK && again(code));
  Serial.println(code == BOAT_OK ? address : "no wallet");

  // Count the reference up, in EEPROM, when the order has ended; not before.
  const struct boat_order order = {"w0", "order-1", nullptr, false};
  do {
    code = boat_do(&boat, boat_send(&boat, &order, "0x000000000000000000000000000000000000b0a7", "0.01ether", nullptr, &id));
  } while (code != BOAT_OK && again(code));
  while (code == BOAT_OK && tx.state < BOAT_TX_CONFIRMED) {
    code = boat_do(&boat, boat_tx_wait(&boat, id, BOAT_TX_CONFIRMED, 60, &tx));
    if (code != BOAT_OK && again(code)) {
      code = BOAT_OK;
    }
  }
  Serial.println(code == BOAT_OK && tx.state == BOAT_TX_CONFIRMED ? tx.hash : "not paid");
}

void loop() { boat_poll(&boat); }
