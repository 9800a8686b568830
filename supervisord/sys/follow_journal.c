/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The journal, from a moment on. That a line comes from our unit is journald's word for it, who
 * says so is the identifier that we gave the daemon's stream.
 */

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "sys/follow.h"
#include "sys/follow_internal.h"
#include "sys/journal.h"

#define FOLLOW_ENTRIES   256 /* at a look */
#define FOLLOW_FIELD     "MESSAGE"
#define FOLLOW_MATCH_MAX 512

/* Whatever others write wakes us up, too. */
#define FOLLOW_BURST    10
#define FOLLOW_INTERVAL (100 * USEC_PER_MSEC)

static bool follow_take_entry(Follow *follow) {
        const size_t skip = strlen(FOLLOW_FIELD "=");
        const void *data;
        size_t size;

        if (sd_journal_get_data(follow->journal, FOLLOW_FIELD, &data, &size) < 0 || size < skip)
                return false;
        return follow->test(follow->userdata, (const char *) data + skip,
                            MIN_OF(size - skip, (size_t) FOLLOW_LINE_MAX));
}

static FollowSight follow_journal_look(Follow *follow) {
        FollowSight sight = FOLLOW_NOTHING;

        (void) sd_journal_process(follow->journal); /* files may have come and gone */
        for (unsigned i = 0; i < FOLLOW_ENTRIES; i++) {
                if (sd_journal_next(follow->journal) <= 0)
                        break;
                sight = FOLLOW_OTHERS;
                if (follow_take_entry(follow))
                        return FOLLOW_IT;
        }
        return sight;
}

static int follow_journal_on_event(void *userdata, uint32_t revents) {
        (void) revents;
        follow_awake(userdata);
        return 0;
}

static int follow_journal_watch(Follow *follow, LoopSource **ret) {
        int fd = sd_journal_get_fd(follow->journal);

        if (fd < 0)
                return fd;
        int r = loop_add_io(follow->loop, ret, fd, EPOLLIN, LOOP_PROBE, follow->name,
                            follow_journal_on_event, follow);
        return r < 0 ? r : loop_io_limit(*ret, FOLLOW_INTERVAL, FOLLOW_BURST);
}

static int follow_add_match(const Follow *follow, const char *field, const char *value) {
        char match[FOLLOW_MATCH_MAX];
        int length = snprintf(match, sizeof(match), "%s=%s", field, value);

        if (length < 0 || (size_t) length >= sizeof(match))
                return -ENAMETOOLONG;
        return sd_journal_add_match(follow->journal, match, (size_t) length);
}

static int follow_journal_open(Follow *follow) {
        int r = sd_journal_open(&follow->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

        if (r >= 0)
                r = follow_add_match(follow, "_TRANSPORT", "stdout");
        if (r >= 0)
                r = follow_add_match(follow, "SYSLOG_IDENTIFIER", follow->identifier);
        if (r >= 0 && follow->unit)
                r = follow_add_match(follow, "_SYSTEMD_UNIT", follow->unit);
        if (r >= 0)
                r = sd_journal_set_data_threshold(follow->journal,
                                                  FOLLOW_LINE_MAX + sizeof(FOLLOW_FIELD));
        if (r >= 0)
                r = sd_journal_get_fd(follow->journal); /* from here on nothing is missed */
        if (r >= 0)
                r = sd_journal_seek_realtime_usec(follow->journal, follow->since);
        return r < 0 ? r : 0;
}

static void follow_journal_close(Follow *follow) {
        sd_journal_close(follow->journal);
}

static const FollowPlace follow_journal_place = {
        .open = follow_journal_open,
        .watch = follow_journal_watch,
        .look = follow_journal_look,
        .close = follow_journal_close,
};

int follow_journal_new(Loop *loop,
                       const char *name,
                       const char *identifier,
                       const char *unit,
                       Follow **ret) {
        if (!journal_is_there())
                return FOLLOW_E_ABSENT;

        Follow *follow = follow_new(loop, name, &follow_journal_place);
        if (!follow)
                return -ENOMEM;
        follow->identifier = identifier;
        follow->unit = unit;
        follow->since = clock_realtime();
        *ret = follow;
        return 0;
}
