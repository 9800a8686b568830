/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/pidfile.h on the files of the fake world. */

#include "sys/pidfile.h"

#include <string.h>

#include "base/parse.h"
#include "fake/fake.h"

int pidfile_read(const char *path, pid_t *ret) {
        const char *content;
        pid_t pid;

        int r = fake_door(DOOR_PIDFILE_READ);
        if (r < 0)
                return r;
        if (!world_read(path, &content))
                return PIDFILE_E_MISSING;
        if (!content)
                return PIDFILE_E_LINK;
        if (*content == '\0')
                return PIDFILE_E_EMPTY;
        if (parse_pid(content, &pid) != 0)
                return PIDFILE_E_GARBAGE;
        if (pid == 1 || pid == WORLD_SUPERVISOR)
                return PIDFILE_E_FORBIDDEN;

        *ret = pid;
        return 0;
}

const char *pidfile_outcome_text(int outcome) {
        static const char *const texts[] = {
                [PIDFILE_E_MISSING] = "is missing",
                [PIDFILE_E_EMPTY] = "is empty",
                [PIDFILE_E_GARBAGE] = "is garbage",
                [PIDFILE_E_LINK] = "is a link",
                [PIDFILE_E_DENIED] = "is unreadable",
                [PIDFILE_E_FORBIDDEN] = "names a forbidden process",
        };
        return texts[outcome];
}
