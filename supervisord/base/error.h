/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How this program fails. Read this once and you know how every function here behaves.
 *
 * - Functions return int. 0 is good (or a count, or a truth value, where the doc comment says so).
 * - A negative errno means that supervisord itself is in trouble (no memory, no descriptors, a
 *   broken kernel interface). It is passed on untouched and never compared above sys/.
 * - A positive MODULE_E_NAME is a documented outcome of that function. Its direct caller settles it
 *   in a full switch; it is never passed on as it is.
 * - What a daemon does wrong is no error but data: an event for its state table.
 * - What a human wrote wrongly goes into a Diag (diag.h): all findings at once.
 * - errno is read only in base/ and sys/, at once after the call that set it, by errno_negative().
 */

#include <errno.h>

/* The errno of the libc call that has just failed, negative; never 0, even if libc set none. */
static inline int errno_negative(void) {
        return errno > 0 ? -errno : -EIO;
}
