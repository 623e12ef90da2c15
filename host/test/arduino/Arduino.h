// What the sketch uses of Arduino, so that it can be compiled without one.
//
// SPDX-License-Identifier: Apache-2.0
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

class HardwareSerial {
public:
	void begin(unsigned long baud);
	int read();
	int availableForWrite();
	size_t write(const uint8_t *bytes, size_t n);
	size_t println(const char *text);
};

extern HardwareSerial Serial, Serial1;
unsigned long millis();

#endif
