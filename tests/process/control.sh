#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The control socket: asked by busctl and by a program, and by clients that nobody wants.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

OBJECT="org.supervisord /org/supervisord org.supervisord.Supervisor1"

# What supervisord may take more than before, in KiB, whatever is done to it.
GROWTH_MAX=4096

variants() {
        echo descent
}

socket_of() {
        echo "$T/run/control"
}

# bus VERB…: busctl against the socket, with a limit.
bus() {
        timeout 20 busctl --address="unix:path=$(socket_of)" "$@"
}

# asked METHOD ARGUMENTS…: what a method answers.
asked() {
        # shellcheck disable=SC2086 # three words
        bus call $OBJECT "$@" 2>&1
}

needs_busctl() {
        command -v busctl >/dev/null || skip "there is no busctl"
}

two_daemons() {
        programs sleep hostile caller
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ]; };
                b: { command = [ \"$BIN/sleep\", \"infinity\" ]; requires = [ \"a\" ]; };"
        start_ready
        DAEMONS=$(processes_of sleep | sort)
        BEFORE=$(memory_of "$SUP")
}

hostile() {
        "$BIN/hostile" "$(socket_of)" "$@" || fail "hostile $*"
}

# Some calls, each of which must be answered.
served() {
        "$BIN/caller" "$(socket_of)" "${1-100}" >/dev/null || fail "a fair client was not served"
}

expect_unharmed() {
        local after
        served
        expect_equal "$(processes_of sleep | sort)" "$DAEMONS" "the daemons"
        after=$(memory_of "$SUP")
        diag "resident memory before and after: $BEFORE and $after KiB"
        is_sanitized || [ "$after" -le $((BEFORE + GROWTH_MAX)) ] || fail "it grew"
        stop
}

# The most that it ever took.
expect_low_peak() {
        local peak
        peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$SUP/status")
        is_sanitized || [ "$peak" -le $((BEFORE + GROWTH_MAX)) ] || fail "it once took $peak KiB"
}

case_busctl() {
        needs_busctl
        two_daemons
        expect_equal "$(stat -c %a "$(socket_of)")" 600 "the mode of the socket"
        bus tree org.supervisord | grep -q '/org/supervisord' || fail "no tree"
        # shellcheck disable=SC2086 # three words
        bus introspect $OBJECT | grep -q '\.ListDaemons *method *- *a(ssbuttssasbt(stus))' ||
                fail "no introspection"
        asked ListDaemons | grep -q '^a(ssbuttssasbt(stus)) 2 "a" "running" false [0-9]* ' || fail "no list"
        # shellcheck disable=SC2086 # three words
        expect_equal "$(bus get-property $OBJECT DaemonCount)" "t 2" "the number of daemons"
        stop
}

case_start_stop_restart() {
        needs_busctl
        two_daemons
        expect_equal "$(asked Stop asb 1 a true)" 'a(sss)s 1 "a" "stopped" "" ""' "the answer to Stop"
        expect has_count sleep 0
        expect_equal "$(asked Start asb 1 b false)" 'a(sss)s 1 "b" "running" "" ""' "the answer to Start"
        expect has_count sleep 2
        DAEMONS=$(processes_of sleep | sort)
        expect_equal "$(asked Restart asb 1 b false)" 'a(sss)s 1 "b" "running" "" ""' "the answer to Restart"
        expect has_count sleep 2
        expect_not [ "$(processes_of sleep | sort)" = "$DAEMONS" ]
        asked Start asb 1 bb false | grep -q 'did you mean "b"' || fail "no suggestion"
        stop
}

case_freeze_drain_and_thaw() {
        needs_busctl
        two_daemons
        expect_equal "$(asked Freeze as 1 a)" 'a(sss) 1 "a" "frozen" ""' "the answer to Freeze"
        expect_equal "$(asked Drain as 2 a b)" 'a(sss) 2 "a" "drained" "" "b" "drained" ""' \
                "the answer to Drain"
        asked ListDaemons | grep -q ' "a" "drained" .* 0 true 0 "" 0 0 "" "b" "drained" ' || fail "no list"
        expect_equal "$(asked Thaw as 2 a b)" 'a(sss) 2 "a" "running" "" "b" "running" ""' \
                "the answer to Thaw"
        asked Thaw as 1 a | grep -q 'not frozen or drained' || fail "no refusal"
        expect_unharmed
}

case_reload_and_plan() {
        needs_busctl
        two_daemons
        expect_equal "$(asked Reload)" 'ssas "nothing-changed" "nothing changed" 0' "the verdict"
        sed -i 's/"infinity" ]; requires/"1000000" ]; requires/' "$T/supervisord.conf"
        asked Plan | grep -q ' true 2 "a" "keep" .* "b" "restart" "command ' || fail "another plan"
        asked Reload | grep -q '^ssas "applied" ' || fail "not applied"
        echo 'a mistake' >>"$T/supervisord.conf"
        asked Plan | grep -q '^asba(sss) [1-9].* false 0$' || fail "a plan of a bad configuration"
        asked Reload | grep -q '^ssas "refused" .*supervisord.conf:' || fail "not refused"
        expect has_count sleep 2
        expect logged 'asked for by uid 0 \(process [0-9]+\)'
        stop
}

case_shutdown() {
        needs_busctl
        two_daemons
        expect_equal "$(asked Shutdown b false)" "" "the answer"
        ended
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left
}

case_monitor_sees_a_stop() {
        needs_busctl
        two_daemons
        stdbuf -oL timeout 60 busctl --address="unix:path=$(socket_of)" monitor >"$T/seen" 2>&1 &
        wait_for 10 grep -q Monitoring "$T/seen"
        served 1
        stop
        wait_for 10 grep -q 'STRING "stopped"' "$T/seen"
        expect grep -q 'Member=StatusChanged' "$T/seen"
}

# Another place for the socket, and what may stand there already.
case_path() {
        local pid
        programs sleep caller
        mkdir "$T/place"
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ]; };" \
                "control = \"$T/place/socket\";"
        start_ready
        "$BIN/caller" "$T/place/socket" 1 >/dev/null || fail "not served"
        kill -KILL "$SUP"
        wait "$SUP" 2>/dev/null
        for pid in $(processes_of sleep); do
                kill -KILL "$pid"
        done
        wait_for 10 has_count sleep 0
        rm -r "$T/run"
        expect exists "$T/place/socket" # left behind, and replaced
        : >"$T/notify"
        start_ready
        "$BIN/caller" "$T/place/socket" 1 >/dev/null || fail "not served"
        stop
        expect is_gone "$T/place/socket"

        echo text >"$T/place/socket"
        start
        ended
        expect_equal "$RC" 1 "exit status"
        expect logged 'place/socket is no socket'
        expect_equal "$(cat "$T/place/socket")" text "the file"
        rm "$T/place/socket"
        rmdir "$T/place"
        start
        ended
        expect_equal "$RC" 1 "exit status"
        expect logged 'cannot make the control socket .*place/socket: No such file'
        expect_nothing_left
}

# as GROUP: whether a member of it is served.
as() {
        setpriv --reuid=65534 --regid="$1" --clear-groups "$BIN/caller" "$(socket_of)" 1 2>/dev/null
}

case_groups() {
        needs_root
        programs sleep caller
        chmod 755 "$T"
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ]; };" 'admin_group = "4242";'
        start_ready
        expect_equal "$(stat -c %a:%g "$(socket_of)")" 660:4242 "the socket"
        expect as 4242
        expect_not as 4343
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ]; };" \
                'admin_group = "4242"; reader_group = "4343";'
        kill -HUP "$SUP"
        wait_for 10 as 4343
        expect as 4242
        expect_not as 4444
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ]; };" \
                'admin_group = "no-such-group";'
        kill -HUP "$SUP"
        wait_for 10 logged 'supervisor.admin_group: there is no group "no-such-group"'
        expect as 4343
        stop
}

case_ten_thousand_calls() {
        two_daemons
        diag "one after the other: $("$BIN/caller" "$(socket_of)" 10000)" || fail "calls were lost"
        diag "64 in flight: $("$BIN/caller" "$(socket_of)" 10000 64)"
        diag "all at once: $("$BIN/caller" "$(socket_of)" 10000 10000)"
        served 10000
        expect_unharmed
}

case_silent_clients() {
        local silent half
        two_daemons
        hostile silent &
        silent=$!
        hostile half &
        half=$!
        served
        wait "$silent" || fail "hostile silent"
        wait "$half" || fail "hostile half"
        hostile text
        expect_unharmed
}

case_wrong_authentication() {
        two_daemons
        hostile auth 200
        expect_unharmed
}

case_messages_in_pieces_and_large_ones() {
        two_daemons
        hostile drip
        hostile large 100
        hostile large 1000
        expect_low_peak
        expect_unharmed
}

case_a_client_that_does_not_read() {
        two_daemons
        hostile deaf 1000000 &
        local deaf=$!
        served 1000
        wait "$deaf" || fail "hostile deaf"
        expect_low_peak
        expect_unharmed
}

case_wrong_calls() {
        two_daemons
        hostile wrong 100
        expect_unharmed
}

case_random_bytes() {
        two_daemons
        hostile random 1000
        expect_unharmed
}

# The queue of the kernel may be full for a moment.
is_served() {
        "$BIN/caller" "$(socket_of)" 10 >/dev/null 2>&1
}

# Crowds come until fair clients were served often enough.
case_ten_thousand_connections() {
        local crowds count=0
        two_daemons
        until exists "$T/enough"; do
                hostile crowd 10000
        done &
        crowds=$!
        while [ "$count" -lt 20 ]; do
                wait_for 20 is_served
                is_running "$crowds" || break
                count=$((count + 1))
        done
        : >"$T/enough"
        wait "$crowds" || fail "hostile crowd"
        expect_equal "$count" 20 "fair clients that were served meanwhile"
        expect_low_peak
        expect_unharmed
}

# A daemon that dies is started again at once, whatever is done to the socket.
case_daemons_come_first() {
        local flood victim
        two_daemons
        "$BIN/caller" "$(socket_of)" 1000000000 1000 >/dev/null 2>&1 & # without end
        flood=$!
        victim=$(processes_of sleep | head -n 1)
        kill -KILL "$victim"
        wait_for 10 has_ended "$victim"
        wait_for 10 has_count sleep 2
        expect is_running "$flood"
        kill -KILL "$flood"
        DAEMONS=$(processes_of sleep | sort)
        expect_unharmed
}

run_cases "$@"
