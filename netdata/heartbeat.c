/* SPDX-License-Identifier: MIT */
#include "heartbeat.h"

#include "program/clock.h"

uint64_t heartbeat_next(uint64_t now, uint64_t step)
{
	uint64_t rest = step - clock_wall() % step;

	return now + (rest < step / 10 ? rest + step : rest);
}
