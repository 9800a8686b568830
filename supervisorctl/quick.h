/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * `status` of all daemons, the command that people and their scripts run most, without any library
 * but libc.
 */

/*
 * Prints how all daemons of the supervisor at that socket stand; with `config`, only if it was
 * started with that file. 0 and *ret_status, the exit status; or a negative errno, and nothing was
 * printed: then it has to be done the usual way, which also finds the words for what is wrong.
 */
int quick_status(const char *socket, const char *config, int *ret_status);
