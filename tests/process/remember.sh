#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What an operator stopped stays stopped, also when supervisord is started again, however it ended.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# web requires db, other nothing.
three() {
        programs sleep
        configure "web: { command = $(list "$BIN/sleep" infinity); requires = [ \"db\" ]; };
                db: { command = $(list "$BIN/sleep" infinity); };
                other: { command = $(list "$BIN/sleep" infinity); };"
        start_ready
}

# Another supervisord, whose words alone count.
start_another() {
        : >"$T/notify"
        : >"$T/log"
        start_ready
}

# As after a reboot.
start_again() {
        stop
        start_another
}

nothing_lives() {
        [ -z "$(processes)" ]
}

# kill -9, and everything that it started, as systemd does.
start_after_a_crash() {
        # shellcheck disable=SC2046 # a list of words
        kill -KILL "$SUP" $(processes) 2>/dev/null
        wait_for 10 nothing_lives
        wait "$SUP" 2>/dev/null
        start_another
}

# states WEB DB OTHER: as they are now.
states() {
        "$SUPERVISORCTL" -s "$T/run/control" status |
                awk '{ print $2 }' | tr '\n' ' ' | grep -qx "$1 $2 $3 "
}

case_stays_stopped() {
        three
        ctl 0 stop other
        start_again
        expect states running running stopped
        expect_equal "$(count_of sleep)" 2 "daemons that run"
        ctl 3 status
        expect said '^other .* stopped by an operator \(uid 0, since 20..-..-.. ..:..:..\)$'
        ctl 3 status other
        expect said 'reason  *stopped by an operator \(uid 0, since '
        ctl 3 status other --json
        expect said '"reason": "stopped by an operator \(uid 0, since '
        expect logged 'other: not started: stopped by an operator'
        ctl 0 start other
        expect states running running running
        start_again
        expect states running running running
        stop
}

case_stays_stopped_after_a_crash() {
        three
        ctl 0 stop other
        start_after_a_crash
        expect states running running stopped
        ctl 0 restart other
        start_after_a_crash
        expect states running running running
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
}

# What requires it was stopped with it, and is kept back by it.
case_what_requires_it() {
        three
        ctl 0 stop db
        expect states stopped stopped running
        start_again
        expect states stopped stopped running
        expect told 'STATUS=.*2 stopped'
        ctl 3 status
        expect said '^web .* not started: db, which it requires, was stopped by an operator$'
        expect said '^db .* stopped by an operator'
        ctl 0 start web
        expect states running running running
        ctl 0 status db --json
        expect said '"reason": ""'
        start_again
        expect states running running running
        stop
}

case_now_only() {
        three
        ctl 0 stop other --now-only
        expect states running running stopped
        expect_not exists "$T/state/stopped"
        start_again
        expect states running running running
        ctl 0 stop other
        ctl 0 --now-only start other
        expect states running running running
        start_again
        expect states running running stopped
        ctl 0 restart --now-only other
        start_again
        expect states running running stopped
        ctl 2 status --now-only
        expect said_error '--now-only is for start, stop and restart'
        stop
}

is_forgotten() {
        ! grep -q "^$1" "$T/state/stopped"
}

case_over_a_reload() {
        three
        ctl 0 stop other
        sed -i '/other:/s/};$/nice = 1; };/' "$T/supervisord.conf"
        ctl 0 reload
        expect states running running stopped
        cp "$T/supervisord.conf" "$T/with_other"
        sed -i '/other:/d' "$T/supervisord.conf"
        ctl 0 reload
        wait_for 10 is_forgotten other
        cp "$T/with_other" "$T/supervisord.conf"
        ctl 0 reload
        expect states running running running
        stop
}

case_garbage_in_the_file() {
        three
        stop
        printf 'supervisord-stopped 1\nno_such 0 1\n\033[2J\nd\0b\nother\n' >"$T/state/stopped"
        start_another
        expect states running running stopped
        expect logged "$T/state/stopped:2: .*there is no daemon \"no_such\""
        expect logged "$T/state/stopped:3: .*\\\\x1b"
        expect logged "$T/state/stopped:4: "
        ctl 3 status
        expect said '^other .* stopped by an operator$'

        stop
        head -c 3000000 /dev/urandom >"$T/state/stopped"
        start_another
        expect logged "$T/state/stopped is ignored.*too large"
        expect states running running running
        stop

        head -c 100000 /dev/urandom >"$T/state/stopped"
        start_another
        expect_equal "$(log_count "$T/state/stopped:1: .*all of it is ignored")" 1 "warnings"
        expect states running running running
        ctl 0 stop other
        start_again
        expect states running running stopped
        expect_not logged "$T/state/stopped:"
        stop
}

case_a_link_is_not_followed() {
        three
        stop
        echo precious >"$T/precious"
        ln -sf "$T/precious" "$T/state/stopped"
        start_another
        expect logged "$T/state/stopped is ignored.*no regular file"
        ctl 0 stop other
        expect_equal "$(cat "$T/precious")" precious "what the link points to"
        start_again
        expect states running running stopped
        stop
}

# on_tmpfs OPTIONS: the state directory is one, seen by supervisord alone.
on_tmpfs() {
        needs_root
        mkdir "$T/state"
        START_BY=(unshare -m sh -c "mount -t tmpfs -o $1 none '$T/state' && exec \"\$@\"" sh)
}

# A stop that is not remembered is a stop all the same, and the caller is told.
expect_forgotten() {
        ctl 0 stop other
        expect said '^other: stopped: stopped by an operator'
        expect said_error "warning: cannot write $T/state/stopped: $1; this is not remembered"
        expect logged "cannot write $T/state/stopped: $1"
        expect states running running stopped
        expect has_count sleep 2
}

case_read_only_file_system() {
        on_tmpfs size=1m
        three
        nsenter -t "$SUP" -m mount -o remount,ro "$T/state" || skip "it cannot be remounted here"
        expect_forgotten "Read-only file system"
        sed -i '/other:/s/};$/nice = 1; };/' "$T/supervisord.conf"
        ctl 0 reload
        expect states running running stopped
        stop
}

case_full_disk() {
        local state
        on_tmpfs size=16k
        three
        state=/proc/$SUP/root$T/state
        head -c 1000000 /dev/zero >"$state/filler" 2>/dev/null
        expect_forgotten "No space left on device"
        expect_equal "$(find "$state" -type f ! -name '*.json' -printf '%f\n')" filler "what is there"
        rm "$state/filler"
        ctl 0 stop web # there is room again
        expect_equal "$(wc -c <"$T/err")" 0 "what is said on standard error"
        expect_equal "$(grep -Ec '^(web|other) 0 [0-9]+$' "$state/stopped")" 2 "those remembered"
        stop
}

run_cases "$@"
