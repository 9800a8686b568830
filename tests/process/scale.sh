#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Many daemons, and a supervisor with nothing to do. Times are printed, not judged.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# Without cgroups every look at a daemon is a walk over all processes.
how_many() {
        if uses_cgroups; then
                echo 1000
        else
                is_sanitized && echo 100 || echo 200
        fi
}

many() {
        local i command daemons=''
        MANY=$(how_many)
        programs sleep
        command=$(list "$BIN/sleep" infinity)
        for ((i = 0; i < MANY; i++)); do
                daemons+="d$i: { command = $command; output: { to = \"null\"; }; };"$'\n'
        done
        configure "$daemons"
}

case_many_daemons() {
        local begun
        many
        begun=$(now_ms)
        start_ready
        diag "$MANY daemons ready after $(($(now_ms) - begun)) ms"
        expect_equal "$(count_of sleep)" $MANY "the number of daemons"
        expect told "STATUS=.*$MANY of $MANY"
        diag "resident memory of supervisord: $(memory_of "$SUP") KiB," \
                "descriptors: $(find "/proc/$SUP/fd" -mindepth 1 | wc -l)"
        begun=$(now_ms)
        kill -TERM "$SUP"
        ended
        diag "stopped after $(($(now_ms) - begun)) ms"
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left
        expect_equal "$(log_count 'stopped, nothing of it is left')" "$MANY" "those that stopped"
}

# The soft limit of open files that systemd gives is 1,024.
case_many_daemons_with_few_descriptors() {
        START_BY=(bash -c 'ulimit -S -n 1024; exec "$@"' bash)
        many
        start_ready
        expect_equal "$(count_of sleep)" $MANY "the number of daemons"
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left
}

switches_of() {
        awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$1/status"
}

# Whatever belongs to the start itself may take a moment.
until_idle() {
        local before i
        for ((i = 0; i < 20; i++)); do
                before=$(switches_of "$SUP")
                sleep 1
                [ "$(switches_of "$SUP")" != "$before" ] || break
        done
}

case_idle_supervisor_sleeps() {
        local before
        programs sleep naive notifier
        configure "a: { command = $(list "$BIN/sleep" infinity); };
                b: { ready: { on = \"listen\"; }; command = $(list "$BIN/naive"); };
                c: { type = \"notify\"; command = $(list "$BIN/notifier"); };"
        start_ready
        until_idle
        before=$(switches_of "$SUP")
        sleep 3
        expect_equal "$(switches_of "$SUP")" "$before" \
                "the number of times that it woke up (after and before)"
        stop
}

case_idle_supervisor_makes_no_system_call() {
        command -v strace >/dev/null || skip "strace is missing"
        programs sleep
        configure "a: { command = $(list "$BIN/sleep" infinity); };"
        start_ready
        until_idle
        timeout -s INT 3 strace -f -o "$T/strace" -p "$SUP" 2>"$T/strace.err"
        [ -s "$T/strace" ] || skip "strace cannot attach: $(head -n 1 "$T/strace.err")"
        # The call in which it waits is shown as unfinished, and again when strace lets go of it.
        if grep -Ev 'epoll_p?wait|<detached|strace:' "$T/strace"; then
                fail "it does something"
        fi
        [ "$(grep -c 'epoll_p\?wait' "$T/strace")" -le 2 ] || fail "it wakes up: $(cat "$T/strace")"
        stop
}

run_cases "$@"
