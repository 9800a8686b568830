#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Stopping: freeze, drain, cleanup, their barriers and deadlines, and that nothing is left.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# Begins so many requests and waits until the server has taken all of them.
requests() {
        "$BIN/client" -p "$(content "$1")" -n "$2" -f "$T/flight.$3" >"$T/requests.$3" &
        CLIENTS+=($!)
        wait_for 20 exists "$T/flight.$3"
}
CLIENTS=()

# Every request got its whole answer.
all_answered() {
        local client
        for client in "${CLIENTS[@]}"; do
                wait_for 30 has_ended "$client"
                wait "$client" || fail "lost: $(cat "$T"/requests.*)"
        done
}

graceful() {
        echo "freeze: { signal = \"USR1\"; }; drain: { until = \"exit\"; };"
}

case_whole_answers() {
        programs naive client
        configure "threads: { ready: { on = \"listen\"; }; $(graceful)
                        command = $(list "$BIN/naive" -d 1500 -P "$T/port1"); };
                forks: { ready: { on = \"listen\"; }; $(graceful)
                        command = $(list "$BIN/naive" -m fork -d 1500 -P "$T/port2"); };
                daemonized: { type = \"forking\"; pidfile = \"$T/pid\"; $(graceful)
                        command = $(list "$BIN/naive" -b -f "$T/pid" -d 1500 -P "$T/port3"); };"
        start_ready
        requests "$T/port1" 50 1
        requests "$T/port2" 20 2
        requests "$T/port3" 50 3
        stop
        all_answered
        expect_equal "$(sort -u "$T"/requests.* | xargs)" \
                "requests 20 answered 20 cut 0 refused 0 requests 50 answered 50 cut 0 refused 0" \
                "answers"
        is_gone "$T/pid" || fail "the pidfile is left"
}

# The same without a freeze signal loses them: this is what the test above measures against.
case_without_freeze_they_are_cut() {
        programs naive client
        configure "a: { ready: { on = \"listen\"; };
                command = $(list "$BIN/naive" -A "$T/never" -P "$T/port"); };"
        start_ready
        requests "$T/port" 10 1
        stop
        wait_for 10 has_ended "${CLIENTS[0]}"
        expect_equal "$(cat "$T/requests.1")" "requests 10 answered 0 cut 10 refused 0" answers
}

case_drain_deadline_cuts() {
        programs naive client
        configure "a: { ready: { on = \"listen\"; }; $(graceful)
                command = $(list "$BIN/naive" -d 60000 -P "$T/port"); };" \
                'drain_timeout = "500ms";'
        start_ready
        requests "$T/port" 10 1
        stop
        expect logged 'a: drain forced after'
        wait_for 10 told 'STATUS=stopped after .* 1 forced'
}

# The time of a daemon itself is longer than that of the phase.
case_own_drain_timeout() {
        programs slowdrain
        configure "a: { freeze: { signal = \"USR1\"; };
                drain: { until = \"exit\"; timeout = \"20s\"; };
                command = $(list "$BIN/slowdrain" -m 1500 -d "$T/done" -f "$T/mark"); };" \
                'drain_timeout = "100ms";'
        start_ready
        wait_for 10 exists "$T/mark"
        stop
        expect exists "$T/done"
        expect logged 'stopped after .* 0 forced'
}

case_drain_signal() {
        programs slowdrain
        configure "a: { drain: { signal = \"USR1\"; };
                command = $(list "$BIN/slowdrain" -m 700 -d "$T/done" -f "$T/mark"); };"
        start_ready
        wait_for 10 exists "$T/mark"
        stop
        expect exists "$T/done"
}

case_drain_jobs() {
        programs slowdrain
        configure "a: { freeze: { signal = \"USR1\"; }; drain: { until = \"jobs\"; };
                command = $(list "$BIN/slowdrain" -j -s -m 700 -d "$T/done" -f "$T/mark"); };"
        start_ready
        wait_for 10 exists "$T/mark"
        stop
        expect exists "$T/done"
        expect logged 'stopped after .* 0 forced'
}

case_drain_command() {
        programs slowdrain
        configure "a: { freeze: { signal = \"USR1\"; };
                drain: { command = $(list /usr/bin/test "!" -e "$T/mark"); interval = \"50ms\"; };
                command = $(list "$BIN/slowdrain" -s -m 700 -d "$T/done" -f "$T/mark"); };"
        start_ready
        wait_for 10 exists "$T/mark"
        stop
        expect exists "$T/done"
        expect logged 'stopped after .* 0 forced'
}

case_freeze_command() {
        programs sleep
        # shellcheck disable=SC2016 # for the shell that supervisord runs
        configure "a: {
                freeze: { command = $(list /bin/sh -c 'echo $SUPERVISOR_DAEMON >$0' "$T/frozen"); };
                command = $(list "$BIN/sleep" infinity); };"
        start_ready
        stop
        expect_equal "$(content "$T/frozen")" a "what the command saw"
}

case_commands_that_hang_or_fail() {
        programs sleep
        configure "hangs: {
                        freeze: { timeout = \"300ms\"; command = $(list "$BIN/sleep" 1001); };
                        drain: { timeout = \"300ms\"; command = $(list "$BIN/sleep" 1002); };
                        cleanup: { command = $(list "$BIN/sleep" 1003); };
                        command = $(list "$BIN/sleep" infinity); };
                fails: { freeze: { command = $(list /bin/false); };
                        drain: { timeout = \"300ms\"; command = $(list /bin/false);
                                interval = \"50ms\"; };
                        cleanup: { command = $(list /bin/false); };
                        command = $(list "$BIN/sleep" infinity); };" \
                'cleanup_timeout = "300ms";'
        start_ready
        stop
        expect logged 'hangs: freeze forced'
        expect logged 'hangs: drain forced'
        expect logged 'hangs: cleanup.command does not end'
        expect logged 'fails: freeze failed'
}

# No daemon drains before all are frozen, none is cleaned up while a dependent one drains.
# Whoever answers others is frozen when they have drained.
case_barriers_and_order() {
        local note="echo \$0 >>$T/order"
        programs slowdrain
        configure "db: {
                        freeze: { command = $(list /bin/sh -c "$note" "freeze db"); };
                        drain: { command = $(list /bin/sh -c "$note" "drain db"); };
                        cleanup: { command = $(list /bin/sh -c "$note" "cleanup db"); };
                        command = $(list "$BIN/slowdrain"); };
                web: { requires = [ \"db\" ];
                        freeze: { command = $(list /bin/sh -c "sleep 0.4; $note" "freeze web"); };
                        drain: { command = $(list /bin/sh -c "sleep 0.4; $note" "drain web"); };
                        cleanup: { command = $(list /bin/sh -c "sleep 0.4; $note" "cleanup web"); };
                        command = $(list "$BIN/slowdrain"); };"
        start_ready
        stop
        expect_equal "$(xargs -d '\n' <"$T/order")" \
                "freeze web drain web freeze db drain db cleanup web cleanup db" "the order"
}

case_cleanup_removes() {
        programs naive
        touch "$T/one" "$T/kept"
        mkdir "$T/directory"
        ln -s "$T/kept" "$T/link"
        configure "a: { ready: { on = \"unix\"; path = \"$T/socket\"; };
                cleanup: {
                        remove = $(list "$T/one" "$T/socket" "$T/link" "$T/none" "$T/directory");
                        command = $(list /bin/sh -c "test -e $T/one && touch $T/was_there"); };
                command = $(list "$BIN/naive" -u "$T/socket"); };"
        start_ready
        expect exists "$T/socket"
        stop
        expect exists "$T/was_there"
        expect is_gone "$T/one"
        expect is_gone "$T/socket"
        expect is_gone "$T/link"
        expect exists "$T/kept"
}

# Everybody who does not hear is ended at once with the others, not one after the other.
case_deaf_ones_in_parallel() {
        local daemons='' i begun took deaf hearing count=100
        # without cgroups each end costs a walk over all processes
        uses_cgroups || count=40
        programs deaf slowdrain
        deaf=$(list "$BIN/deaf" 0 "$T/deaf")
        hearing=$(list "$BIN/slowdrain")
        for ((i = 0; i < count; i++)); do
                if ((i % 10 == 0)); then
                        daemons+="d$i: { command = $deaf;"
                else
                        daemons+="d$i: { command = $hearing;"
                fi
                daemons+=' stop: { signals = "TERM 2s, KILL"; }; };'
        done
        configure "$daemons"
        start_ready
        wait_for 30 eval "[ \$(cat '$T/deaf' 2>/dev/null | wc -l) = $((count / 10)) ]"
        expect_equal "$(processes | wc -l)" $((count + 1)) "the number of processes"

        begun=$(now_ms)
        kill -TERM "$SUP"
        ended
        took=$(($(now_ms) - begun))
        diag "$count daemons, $((count / 10)) of them deaf with \"TERM 2s, KILL\": ended in $took ms"
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left
        [ "$took" -ge 2000 ] || fail "the deaf ones did not get their 2 s, but $took ms"
        # One after the other would be 20 s; the machine may be slow, but not that slow.
        ! uses_cgroups || [ "$took" -lt 15000 ] || fail "took $took ms"
        expect_equal "$(log_count 'did not end within')" $((count / 10)) "the number of forced ones"
        expect_equal "$(log_count 'd[0-9]*0: did not end within')" $((count / 10)) "those forced"
}

case_deaf_tree() {
        programs deaf
        configure "a: { command = $(list "$BIN/deaf" 5 "$T/deaf");
                stop: { signals = \"HUP 100ms, TERM 100ms, KILL\"; }; };"
        start_ready
        wait_for 10 eval "[ \$(cat '$T/deaf' 2>/dev/null | wc -l) = 6 ]"
        stop
        expect logged 'a: did not end within .*killing 6 processes'
}

case_stray_grandchild() {
        programs straygrandchild
        configure "a: { command = $(list "$BIN/straygrandchild" -P "$T/stray");
                stop: { signals = \"TERM 200ms, KILL\"; }; };"
        start_ready
        wait_for 10 exists "$T/stray"
        stop
        expect has_ended "$(content "$T/stray")"
}

case_stray_grandchild_without_environment() {
        programs straygrandchild
        configure "a: { command = $(list "$BIN/straygrandchild" -e -P "$T/stray");
                stop: { signals = \"TERM 200ms, KILL\"; }; };"
        start_ready
        wait_for 10 exists "$T/stray"
        stop
        expect has_ended "$(content "$T/stray")"
}

case_stop_signals_in_their_order() {
        cat >"$T/daemon" <<SCRIPT
#!/bin/bash
trap 'echo INT >>$T/heard' INT
trap 'echo HUP >>$T/heard' HUP
trap 'echo TERM >>$T/heard; exit 0' TERM
touch $T/up
while :; do read -t 0.05 <> <(:); done
SCRIPT
        chmod 755 "$T/daemon"
        configure "a: { ready: { on = \"file\"; path = \"$T/up\"; }; command = $(list "$T/daemon");
                stop: { signals = \"INT 2s, HUP 2s, TERM 20s, KILL\"; }; };"
        start_ready
        stop
        expect_equal "$(xargs <"$T/heard")" "INT HUP TERM" "what it heard"
        expect_not logged 'did not end'
}

case_stop_during_a_start() {
        programs notifier sleep
        configure "slow: { type = \"notify\"; command = $(list "$BIN/notifier" -n); };
                behind: { requires = [ \"slow\" ]; command = $(list "$BIN/sleep" infinity); };"
        start
        wait_for 10 has_count notifier 1
        stop
        expect_not told READY=1
        expect_not logged 'behind: starting'
}

# It hears signals from the moment at which it blocks SIGTERM (as the shell before it may do, too).
hears_signals() {
        local blocked
        [ "$(readlink "/proc/$SUP/exe")" = "$BIN/supervisord" ] || return
        blocked=$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$SUP/status")
        [ -n "$blocked" ] && ((16#$blocked >> 14 & 1))
}

case_stop_while_nothing_runs_yet() {
        programs sleep
        configure "a: { command = $(list "$BIN/sleep" infinity); };"
        start
        wait_for 10 hears_signals
        stop
}

case_stop_during_a_forking_start() {
        programs forker
        configure "a: { type = \"forking\"; pidfile = \"$T/pid\";
                command = $(list "$BIN/forker" -f "$T/pid" -k nothing -w 60000 -x);
                stop: { signals = \"TERM 200ms, KILL\"; }; };"
        start
        wait_for 10 has_count forker 2
        stop
}

case_stop_during_a_restart_delay() {
        configure 'a: { command = [ "/bin/false" ];
                restart: { delay = "60s"; delay_max = "60s"; }; };'
        start_ready
        wait_for 10 logged 'a: starting again in'
        stop
}

case_stop_repeated() {
        local i
        programs slowdrain
        configure "a: { freeze: { signal = \"USR1\"; }; drain: { until = \"exit\"; };
                command = $(list "$BIN/slowdrain" -m 1500 -d "$T/done" -f "$T/mark"); };"
        start_ready
        wait_for 10 exists "$T/mark"
        for ((i = 0; i < 50; i++)); do
                kill -TERM "$SUP"
                kill -INT "$SUP"
                pause
        done
        ended
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left
        expect exists "$T/done"
        # Once per phase at most.
        [ "$(log_count 'drain.*begin|drain begun')" -le 1 ] || fail "drain began more than once"
}

case_fast_stop() {
        programs slowdrain
        configure "a: { freeze: { signal = \"USR1\"; }; drain: { until = \"exit\"; };
                command = $(list "$BIN/slowdrain" -m 60000 -d "$T/done" -f "$T/mark"); };"
        start_ready
        wait_for 10 exists "$T/mark"
        stop_by QUIT
        expect_not exists "$T/done"
}

case_fast_stop_breaks_off_a_drain() {
        programs slowdrain
        configure "a: { freeze: { signal = \"USR1\"; };
                drain: { until = \"exit\"; timeout = \"60s\"; };
                command = $(list "$BIN/slowdrain" -m 60000 -d "$T/done" -f "$T/mark"); };"
        start_ready
        wait_for 10 exists "$T/mark"
        kill -TERM "$SUP"
        wait_for 10 told 'STATUS=drain'
        stop_by QUIT
        expect_not exists "$T/done"
}

# What systemd is told on the way down.
case_what_is_told() {
        programs slowdrain
        configure "a: { freeze: { signal = \"USR1\"; }; drain: { until = \"exit\"; };
                command = $(list "$BIN/slowdrain" -a "$T/go" -f "$T/mark"); };"
        start_ready
        wait_for 10 exists "$T/mark"
        kill -TERM "$SUP"
        wait_for 10 told 'STATUS=drain'
        expect told STOPPING=1
        expect told EXTEND_TIMEOUT_USEC=
        touch "$T/go"
        ended
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left
        wait_for 10 told 'STATUS=stopped after .*: 1 daemon, 0 forced, 0 left behind' # at last
        expect_equal "$(grep -a '^from ' "$T/notify" | sort -u | wc -l)" 1 "the number of senders"
        expect_equal "$(grep -ac '^READY=1' "$T/notify")" 1 "the number of READY=1"
}

# The working directory and files of the runtime directory go as well; one that was there stays.
case_runtime_directory_of_others_stays() {
        programs sleep
        mkdir "$T/run"
        touch "$T/run/of_somebody_else"
        configure "a: { command = $(list "$BIN/sleep" infinity); };"
        start_ready
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect_equal "$(ls -A "$T/run")" of_somebody_else "what is in the runtime directory"
}

run_cases "$@"
