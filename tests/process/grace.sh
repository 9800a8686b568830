#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# supervisor.grace: a stop within a given time. What it does is judged by the limits that are
# reported and by who was forced, not by a clock.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# A slow one that is drained, and one that hears nothing; both would take for ever.
slow_and_deaf() {
        programs slowdrain deaf sleep
        configure "slow: { freeze: { command = $(list "$BIN/sleep" infinity); };
                        drain: { until = \"exit\"; signal = \"USR1\"; }; requires = [ \"deaf\" ];
                        command = $(list "$BIN/slowdrain" -m 600000 -f "$T/mark"); };
                deaf: { command = $(list "$BIN/deaf" 2 "$T/deaf"); };" "$1"
        start_ready
        wait_for 10 exists "$T/mark"
        wait_for 10 eval "[ \$(cat '$T/deaf' 2>/dev/null | wc -l) = 3 ]"
}

case_slow_and_deaf() {
        slow_and_deaf 'grace = "3s";'
        expect logged 'supervisor.grace: warning: "3s" leaves 5% of the times that nobody wrote'
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect logged 'stopping 2 daemons: freeze, drain, cleanup, within 3\.00 s'
        expect logged 'freeze begins \(stop\): 1 daemon, at most 0\.25 s'
        expect logged 'stopped after .*: 2 daemons, '
        if logged 'the time for the stop is over'; then
                diag "this machine stood still for so long that the phases had no time"
                wait_for 10 has_count deaf 0
                return
        fi
        expect_nothing_left
        expect logged 'slow: freeze forced after'
        expect logged 'drain begins \(stop\): 2 daemons, at most (1\.00|0\.[0-9]+) s'
        expect logged 'slow: drain forced after'
        expect logged 'cleanup begins \(stop\): 2 daemons, at most 0\.[0-7][0-9]* s'
        expect logged 'deaf: did not end within .*, killing 3 processes'
        expect logged 'stopped after .*: 2 daemons, 2 forced, 0 left behind'
}

case_last_step_without_a_time() {
        programs deaf
        configure "deaf: { command = $(list "$BIN/deaf" 0 "$T/deaf");
                stop: { signals = \"TERM\"; }; };" 'grace = "3s";'
        start_ready
        wait_for 10 exists "$T/deaf"
        stop
        expect logged 'cleanup begins \(stop\): 1 daemon, at most 0\.50 s'
        expect logged 'deaf: did not end within .*, killing 1 process'
}

case_applied_live() {
        programs deaf
        local daemons
        daemons="deaf: { command = $(list "$BIN/deaf" 0 "$T/deaf"); };"
        configure "$daemons"
        start_ready
        wait_for 10 exists "$T/deaf"
        configure "$daemons" 'grace = "4s";'
        ctl 0 reload
        expect has_count deaf 1
        expect_equal "$(wc -l <"$T/deaf")" 1 "starts of it"
        stop
        expect logged 'stopping 1 daemon: freeze, drain, cleanup, within 4\.00 s'
        expect logged 'deaf: did not end within .*, killing 1 process'
}

case_dump_reads_back() {
        configure 'a: { command = [ "/bin/sleep", "infinity" ]; };' 'grace = "10s";'
        "$SUPERVISORD" --dump -c "$T/supervisord.conf" >"$T/dump.conf" || fail "no dump"
        grep -q 'drain_timeout = "5s"; # default, scaled to 25% to fit supervisor.grace' \
                "$T/dump.conf" || fail "the dump does not say what was scaled"
        "$SUPERVISORD" --dump -c "$T/dump.conf" >"$T/again.conf" || fail "it does not read back"
        expect_equal "$(sed 's/ *#.*//' "$T/again.conf")" "$(sed 's/ *#.*//' "$T/dump.conf")" \
                "the dump of the dump"
}

case_too_little() {
        programs sleep
        local daemon
        daemon="web: { command = $(list "$BIN/sleep" infinity);
                drain: { until = \"jobs\"; timeout = \"45s\"; }; };"
        configure "$daemon" 'grace = "30s";'
        start
        ended
        expect_equal "$RC" 78 "exit status"
        expect logged 'supervisord\.conf:5: supervisor\.grace: "30s" is not enough: freeze 50ms'
        expect logged 'drain 45s \(web\.drain\.timeout\) \+ cleanup 100ms \+ reserve 3s = 48s 150ms'
        expect logged 'shorten web\.drain\.timeout, or write grace = "1min 5s" or more'

        # and a reload to it changes nothing
        configure "$daemon" 'grace = "1min 5s";'
        start_ready
        configure "$daemon" 'grace = "30s";'
        ctl 1 reload
        said_error 'supervisord\.conf:5: supervisor\.grace: ' || said 'supervisor\.grace: ' ||
                fail "the reload does not say why: $(cat "$T/out" "$T/err")"
        stop
        expect logged 'within 1 min 5 s'
}

# More than can be done in time, at least without cgroups, where each tree is looked for among all
# processes: however slow that is, the end comes, and nothing is left.
case_too_many() {
        programs deaf
        local i daemons=''
        for ((i = 0; i < 150; i++)); do
                daemons+="d$i: { command = $(list "$BIN/deaf" 0 "$T/deaf"); };"
        done
        configure "$daemons" 'grace = "2s";'
        start_ready
        wait_for 30 eval "[ \$(wc -l <'$T/deaf' 2>/dev/null) = 150 ]"
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect logged 'stopped after .*: 150 daemons, '
        wait_for 10 has_count deaf 0
        expect_not logged ' bug: '
}

blocks_term() {
        local blocked
        blocked=$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null)
        [ -n "$blocked" ] && ((16#$blocked >> 14 & 1))
}

# As the first process of a container, to which no signal comes that it does not await, and of which
# nothing is left when it has gone.
case_first_process() {
        needs_root
        unshare -p -f true 2>/dev/null || skip "no pid namespace can be made here"
        programs deaf
        local i first='' daemons=''
        for ((i = 0; i < 10; i++)); do
                daemons+="d$i: { command = $(list "$BIN/deaf"); };"
        done
        configure "$daemons
                # $(head -c 4000000 /dev/zero | tr '\0' x)" 'grace = "5s";'
        START_BY=(unshare -p -f --mount-proc)
        start
        # at once, while it still reads its configuration; but what comes before it blocks the signal
        # does not exist for a first process
        wait_for 10 eval 'first=$(processes_of supervisord) && blocks_term "$first"'
        kill -TERM "$first"
        ended
        expect_equal "$RC" 0 "exit status"
        expect logged 'stopping 10 daemons: freeze, drain, cleanup, within 5\.00 s'
        expect_equal "$(processes)" "" "what is left"
}

run_cases "$@"
