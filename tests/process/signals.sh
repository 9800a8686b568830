#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# SIGHUP and SIGUSR1, also by the hundred thousand, alone and mixed with SIGTERM.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

HUPS=100000

# A hostile reader of the clock would say: too many for one kill(1) each; kill is a builtin.
storm() {
        local i
        for ((i = 0; i < $1; i++)); do
                kill "-$2" "$SUP" || fail "it is gone"
        done
}

two_daemons() {
        programs sleep
        configure "a: { command = $(list "$BIN/sleep" infinity); };
                b: { command = $(list "$BIN/sleep" infinity); };"
        start_ready
        DAEMONS=$(processes_of sleep | sort)
}

expect_daemons_untouched() {
        expect_equal "$(processes_of sleep | sort)" "$DAEMONS" "the daemons"
}

# The number of answers to SIGHUP so far.
verdicts() {
        log_count 'reload (applied|nothing-changed|refused|rolled-back|canceled)'
}

reload() {
        local before
        before=$(grep -ac '^RELOADING=1' "$T/notify")
        kill -HUP "$SUP"
        wait_for 10 eval "[ \$(grep -ac '^RELOADING=1' '$T/notify') -gt $before ]"
        wait_for 10 eval 'is_reloaded'
}

# After the last RELOADING=1 comes a READY=1.
is_reloaded() {
        grep -aE '^(RELOADING|READY)=1' "$T/notify" | tail -n 1 | grep -q READY
}

case_hup_with_a_good_configuration() {
        two_daemons
        reload
        expect told MONOTONIC_USEC=
        expect_daemons_untouched
        expect_equal "$(grep -ac '^RELOADING=1' "$T/notify")" 1 "the number of RELOADING=1"
        stop
}

case_hup_with_a_bad_configuration() {
        two_daemons
        cp "$T/supervisord.conf" "$T/good"
        echo 'daemons: { a: { comand = [ "/bin/true" ]; }; };' >"$T/supervisord.conf"
        reload
        wait_for 10 logged "supervisord.conf:1: .*comand"
        expect logged 'command' # the nearest known one
        expect_daemons_untouched
        echo 'not even a {{{ configuration' >"$T/supervisord.conf"
        reload
        wait_for 10 logged 'supervisord.conf:1:'
        rm "$T/supervisord.conf"
        reload
        expect_daemons_untouched
        cp "$T/good" "$T/supervisord.conf"
        reload
        expect_daemons_untouched
        stop
}

case_hup_during_a_start_and_a_stop() {
        programs notifier slowdrain
        configure "a: { type = \"notify\"; command = $(list "$BIN/notifier" -a "$T/go"); };
                b: { freeze: { signal = \"USR1\"; }; drain: { until = \"exit\"; };
                        command = $(list "$BIN/slowdrain" -m 1000 -d "$T/done" -f "$T/mark"); };"
        start
        wait_for 10 has_count notifier 1
        wait_for 10 exists "$T/mark"
        storm 100 HUP
        touch "$T/go"
        ready
        kill -TERM "$SUP"
        wait_for 10 told STOPPING=1
        kill -HUP "$SUP"
        kill -HUP "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect exists "$T/done"
        expect_nothing_left
}

case_hundred_thousand_hups() {
        local before after began
        two_daemons
        reload
        storm 1000 HUP
        wait_for 10 is_reloaded
        before=$(memory_of "$SUP")
        began=$(now_ms)
        storm $HUPS HUP
        diag "$HUPS SIGHUP sent in $(($(now_ms) - began)) ms"
        wait_for 30 is_reloaded
        reload
        after=$(memory_of "$SUP")
        diag "resident memory before and after: $before and $after KiB," \
                "reloads: $(grep -ac '^RELOADING=1' "$T/notify")"
        is_sanitized || [ "$after" -le $((before + 1024)) ] || fail "it grew"
        expect_daemons_untouched
        stop
}

case_usr1_shows_the_state() {
        two_daemons
        : >"$T/log"
        kill -USR1 "$SUP"
        wait_for 10 logged 'a: .*running'
        wait_for 10 logged 'b: .*running'
        expect_daemons_untouched
        stop
}

case_usr2_and_others_do_no_harm() {
        local signal
        two_daemons
        for signal in USR2 PIPE CHLD WINCH CONT; do
                kill "-$signal" "$SUP"
        done
        reload
        expect_daemons_untouched
        stop
}

case_mixed_storm() {
        local i
        programs slowdrain
        configure "a: { freeze: { signal = \"USR1\"; }; drain: { until = \"exit\"; };
                command = $(list "$BIN/slowdrain" -m 500 -d "$T/done" -f "$T/mark"); };"
        start_ready
        wait_for 10 exists "$T/mark"
        for ((i = 0; i < 5000; i++)); do
                kill -HUP "$SUP"
                kill -USR1 "$SUP"
                kill -CHLD "$SUP"
        done
        for ((i = 0; i < 5000; i++)); do
                kill -HUP "$SUP" && kill -USR1 "$SUP" && kill -TERM "$SUP" || break
                kill -INT "$SUP" || break
        done 2>/dev/null
        ended
        expect_equal "$RC" 0 "exit status"
        expect exists "$T/done"
        expect_nothing_left
}

run_cases "$@"
