/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The text form of a StopSchedule: "QUIT 20s, TERM 5s, KILL".
 */

#include "config/config.h"

/* 0, PARSE_E_SYNTAX, PARSE_E_RANGE (base/parse.h) or -ENOMEM. */
int stop_schedule_parse(const char *text, StopSchedule *ret);
/* Releases the steps and empties it. */
void stop_schedule_clear(StopSchedule *schedule);
bool stop_schedule_equal(const StopSchedule *a, const StopSchedule *b);
/* malloc'ed; reads back to the same schedule. NULL: no memory. */
char *stop_schedule_text(const StopSchedule *schedule);
