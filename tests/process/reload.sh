#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Reloads of real daemons: applied, refused, undone; whoever asks and whatever becomes of him.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/process/bad.bash
. "$(dirname "$0")/bad.bash"

# notifier NAME ARGUMENTS [SETTINGS]: a daemon that is ready when it says so, with a mark among its
# arguments.
notifier() {
        echo "$1: { type = \"notify\"; command = [ \"$BIN/notifier\", $2 ]; ${3-} };"
}

# The pid of a daemon, beside `ctl`, whose output stays.
pid_of() {
        "$SUPERVISORCTL" -s "$T/run/control" pid "$1"
}

# runs_with NAME TEXT: the main process of a daemon has that among its arguments.
runs_with() {
        tr '\0' ' ' <"/proc/$(pid_of "$1")/cmdline" | grep -q -- " $2 "
}

verdicts() {
        log_count 'reload (applied|nothing-changed|refused|rolled-back|canceled)'
}

hup() {
        local before
        before=$(verdicts)
        kill -HUP "$SUP"
        wait_for 20 eval "[ \$(verdicts) -gt $before ]"
}

case_hup_applies_a_change() {
        local kept changed removed live
        programs notifier
        configure "$(notifier kept '"-r", "1"')
                $(notifier changed '"-r", "2"')
                $(notifier removed '"-r", "3"')
                $(notifier live '"-r", "4"')"
        start_ready
        kept=$(pid_of kept)
        live=$(pid_of live)
        changed=$(pid_of changed)
        removed=$(pid_of removed)
        configure "$(notifier added '"-r", "6"' 'requires = [ "changed" ];')
                $(notifier live '"-r", "4"' 'drain: { timeout = "3s"; };')
                $(notifier changed '"-r", "7"')
                $(notifier kept '"-r", "1"')"
        hup
        expect logged 'reload applied .*SIGHUP'
        expect logged '1 started, 1 restarted, 1 stopped, 1 with new settings, 1 kept'
        expect logged 'changed: restart: command'
        expect logged 'live: apply: drain.timeout unset -> "3s"'
        expect_equal "$(pid_of kept)" "$kept" "the kept daemon"
        expect_equal "$(pid_of live)" "$live" "the one with new settings"
        expect has_ended "$changed"
        expect has_ended "$removed"
        expect runs_with changed 7
        expect runs_with added 6
        expect_equal "$(count_of notifier)" 4 "the number of daemons"
        wait_for 10 told MONOTONIC_USEC=
        stop
}

# None of these is a configuration; nothing running may notice, not even a connection.
case_what_is_wrong_is_refused() {
        local before bad answer connection count=0
        programs sleep naive
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ]; };
                server: { command = [ \"$BIN/naive\", \"-P\", \"$T/port\" ];
                        ready: { on = \"listen\"; }; };"
        start_ready
        exec {connection}<>"/dev/tcp/127.0.0.1/$(content "$T/port")"
        before="$(processes_of sleep) $(processes_of naive)"
        mv "$T/supervisord.conf" "$T/good"
        for bad in $(bad_names); do
                "$bad"
                ctl 1 reload
                expect said_error '^refused: [0-9]+ errors?, the old configuration stays in force'
                expect said_error 'supervisord.conf|conf.d/'
                expect_equal "$(processes_of sleep) $(processes_of naive)" "$before" "the daemons"
                rm -rf "$T/supervisord.conf" "$T/conf.d"
                count=$((count + 1))
        done
        diag "$count bad configurations were refused"
        printf '7\n' >&"$connection"
        read -r -t 10 answer <&"$connection" || fail "the connection is broken"
        expect_equal "$answer" taken "the answer"
        cp "$T/good" "$T/supervisord.conf"
        ctl 0 reload
        expect said '^nothing-changed'
        expect_equal "$(processes_of sleep) $(processes_of naive)" "$before" "the daemons"
        expect_equal "$(log_count ': starting, process')" 2 "the number of starts"
        stop
}

case_what_only_a_restart_can_change_is_refused() {
        programs sleep
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ]; };"
        start_ready
        configure "a: { command = [ \"$BIN/sleep\", \"1000\" ]; };" "control = \"$T/elsewhere\";"
        ctl 1 reload
        expect said_error 'supervisor.control'
        ctl 0 status
        stop
}

# five MARK [ARGUMENT-OF-THE-FOURTH]
five() {
        local i
        for i in 1 2 3 4 5; do
                if [ $i = 4 ] && [ -n "${2-}" ]; then
                        notifier d4 "\"$2\", \"-c\", \"$1\"" 'ready: { timeout = "1s"; };'
                else
                        notifier d$i "\"-c\", \"$1\""
                fi
        done
        notifier kept '"-c", "1"'
}

case_of_five_the_fourth_fails() {
        local kept i
        programs notifier
        configure "$(five 2)"
        start_ready
        kept=$(pid_of kept)
        configure "$(five 3 -n)"
        ctl 1 reload
        expect said_error \
                '^rolled-back: d4 did not become ready: it was not ready within 1s .*; all is as it was before'
        for i in 1 2 3 4 5; do
                expect runs_with d$i 2
        done
        expect_equal "$(pid_of kept)" "$kept" "the daemon that was not concerned"
        expect_equal "$(count_of notifier)" 6 "the number of daemons"
        wait_for 10 told 'STATUS=running: 6 of 6 daemons; last reload rolled-back: d4'

        # also what is started later goes by the old one
        for i in 1 2 3 4 5; do
                kill -KILL "$(pid_of d$i)"
                wait_for 20 logged "d$i: starting again"
                wait_for 20 has_count notifier 6
                expect runs_with d$i 2
        done
        expect_equal "$(pid_of kept)" "$kept" "the daemon that was not concerned"
        stop
}

case_reloads_cost_no_request() {
        local server i before
        programs naive client sleep
        server="server: { command = [ \"$BIN/naive\", \"-P\", \"$T/port\", \"-d\", \"100\" ];
                ready: { on = \"listen\"; }; };"
        other() {
                configure "$server
                        other: { command = [ \"$BIN/sleep\", \"$1\" ]; ${2-} };"
        }
        other 1000
        start_ready
        before=$(pid_of server)
        "$BIN/client" -p "$(content "$T/port")" -r 50 -t "$CASE_LIMIT" -f "$T/flight" \
                >"$T/summary" 2>&1 &
        local client=$!
        wait_for 10 exists "$T/flight"
        for ((i = 1; i <= 10; i++)); do
                other $((1000 + i))
                ctl 0 reload
                expect said '^applied: .*1 restarted.*1 kept'
                other $((1000 + i)) 'nonsense = 1;'
                ctl 1 reload
        done
        has_ended "$client" && fail "the load was over before the reloads"
        kill -TERM "$client"
        wait "$client" || fail "requests were lost: $(cat "$T/summary")"
        diag "$(cat "$T/summary")"
        expect_equal "$(pid_of server)" "$before" "the server"
        expect_equal "$(log_count 'reload applied')" 10 "reloads applied"
        expect_equal "$(log_count 'reload refused')" 10 "reloads refused"
        stop
}

has_asked() {
        logged "reload asked for by .*process $1\)?\$"
}

case_a_killed_supervisorctl_changes_nothing() {
        local milliseconds round=0 client
        programs notifier
        configure "$(notifier a '"-r", "1"')"
        start_ready
        for milliseconds in 0 5 20 100 300 600; do
                round=$((round + 1))
                configure "$(notifier a "\"-r\", \"$((400 + round))\"")"
                "$SUPERVISORCTL" -s "$T/run/control" reload >/dev/null 2>&1 &
                client=$!
                # where it was killed before it asked, is the next case
                wait_for 20 has_asked "$client"
                sleep "$(printf '0.%03d' "$milliseconds")"
                kill -KILL "$client" 2>/dev/null
                wait "$client"
                wait_for 20 eval "[ \$(log_count 'reload applied') = $round ]"
                expect runs_with a $((400 + round))
        done
        configure "$(notifier a '"-n"' 'ready: { timeout = "1s"; };')"
        "$SUPERVISORCTL" -s "$T/run/control" reload >/dev/null 2>&1 &
        client=$!
        wait_for 20 has_asked "$client"
        kill -KILL "$client"
        wait_for 20 logged 'reload rolled-back'
        expect runs_with a $((400 + round))
        stop
}

# Before it asks, while it waits, when the answer comes: what was asked for comes to its own end.
case_a_supervisorctl_killed_at_any_moment() {
        local round delay client before in_force=1 wanted asked=0
        programs notifier
        configure "$(notifier a '"-c", "1"')"
        start_ready
        for ((round = 2; round < 18; round++)); do
                # every other one is undone
                wanted=applied
                configure "$(notifier a "\"-r\", \"150\", \"-c\", \"$round\"")"
                if ((round % 2)); then
                        wanted=rolled-back
                        configure "$(notifier a "\"-n\", \"-c\", \"$round\"" \
                                'ready: { timeout = "150ms"; };')"
                fi
                delay=$((RANDOM % (round % 4 < 2 ? 20 : 400)))
                before=$(verdicts)
                "$SUPERVISORCTL" -s "$T/run/control" reload >/dev/null 2>&1 &
                client=$!
                # however slow it is, some come so far
                ((round % 8 > 1)) || wait_for 20 has_asked "$client"
                sleep "$(printf '0.%03d' $delay)"
                kill -KILL "$client" 2>/dev/null
                wait "$client" 2>/dev/null
                # what it has sent is read in the turn of the first answer, or in the next one
                ctl 0 version
                ctl 0 version
                if has_asked "$client"; then
                        asked=$((asked + 1))
                        wait_for 20 eval "[ \$(verdicts) = $((before + 1)) ]"
                        expect logged "reload $wanted .*process $client\\)"
                        [ $wanted != applied ] || in_force=$round
                fi
                expect runs_with a $in_force
        done
        diag "$asked of 16 had asked before they were killed"
        [ $asked -ge 4 ] || fail "fewer than those that were waited for"
        stop
}

case_sigterm_ends_the_waiting_only() {
        local client signal round=0
        programs notifier
        configure "$(notifier a '"-r", "1"')"
        start_ready
        for signal in TERM INT; do
                configure "$(notifier a "\"-a\", \"$T/go$signal\"")"
                # in the background of a script SIGINT is ignored, unless somebody undoes it
                env --default-signal=INT "$SUPERVISORCTL" -s "$T/run/control" reload \
                        >"$T/out" 2>"$T/err" &
                client=$!
                wait_for 20 has_asked "$client"
                kill "-$signal" "$client"
                wait "$client"
                expect_equal $? 0 "the status of supervisorctl after SIG$signal"
                expect said_error 'goes on'
                touch "$T/go$signal"
                round=$((round + 1))
                wait_for 20 eval "[ \$(log_count 'reload applied') = $round ]"
        done
        stop
}

case_a_stop_breaks_into_a_reload() {
        local client
        programs notifier
        configure "$(notifier a '"-r", "1"')
                $(notifier b '"-r", "1"')"
        start_ready
        configure "$(notifier a '"-n"')
                $(notifier b '"-r", "2"')
                $(notifier c '"-r", "3"')"
        "$SUPERVISORCTL" -s "$T/run/control" reload >"$T/out" 2>"$T/err" &
        client=$!
        wait_for 20 has_asked "$client"
        wait_for 10 eval "[ \$(log_count ' a: starting, process') = 2 ]"
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        wait "$client"
        expect_equal $? 0 "the status of supervisorctl" # anything else would fail the unit
        expect said 'canceled'
        expect_nothing_left
}

# The first one is under way until all the others have asked.
case_a_burst_is_two_reloads_and_all_are_answered() {
        local i pids=()
        programs notifier
        configure "$(notifier a '"-r", "1"')"
        start_ready
        configure "$(notifier a "\"-a\", \"$T/go\"")"
        for ((i = 0; i < 10; i++)); do
                "$SUPERVISORCTL" -s "$T/run/control" reload >"$T/out.$i" 2>&1 &
                pids+=($!)
                wait_for 20 has_asked "$!"
        done
        touch "$T/go"
        for i in "${pids[@]}"; do
                wait "$i" || fail "a reload of a good configuration failed: $(cat "$T"/out.*)"
        done
        expect_equal "$(verdicts)" 2 "the number of reloads"
        expect runs_with a "$T/go"
        stop
}

case_what_was_stopped_stays_stopped() {
        programs sleep
        configure "a: { command = [ \"$BIN/sleep\", \"1000\" ]; };
                b: { command = [ \"$BIN/sleep\", \"1001\" ]; };"
        start_ready
        ctl 0 stop a
        configure "a: { command = [ \"$BIN/sleep\", \"2000\" ]; };
                b: { command = [ \"$BIN/sleep\", \"2001\" ]; };"
        ctl 0 reload
        ctl 3 status a
        expect runs_with b 2001
        ctl 0 start a
        expect runs_with a 2000
        stop
}

run_cases "$@"
