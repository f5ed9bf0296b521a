/* SPDX-License-Identifier: MIT */
#include "heartbeat.h"

uint64_t heartbeat_wait(uint64_t wall, uint64_t step)
{
	uint64_t rest = step - wall % step;

	return rest < step / 10 ? rest + step : rest;
}
