#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemons' own reloads: their configuration tests first, then their signals and commands, and
# what a bad file of theirs can do.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# server NAME [MORE-OF-RELOAD [SETTINGS]]: reads $T/NAME.conf at its start and at SIGHUP, and dies
# of a bad one.
server() {
        echo "$1: { command = [ \"$BIN/naive\", \"-c\", \"$T/$1.conf\", \"-i\", \"$T/$1.log\",
                        \"-P\", \"$T/$1.port\", \"-d\", \"50\" ];
                ready: { on = \"listen\"; };
                reload: { signal = \"HUP\"; files = [ \"$T/$1.conf\" ]; ${2-} }; ${3-} };"
}

# tested NAME: its configuration test.
tested() {
        echo "check = [ \"$BIN/naive\", \"-t\", \"-c\", \"$T/$1.conf\" ];"
}

# write NAME WORD: another configuration of its own.
write() {
        printf '%s # %s\n' "$2" "$RANDOM$RANDOM" >"$T/$1.new"
        mv "$T/$1.new" "$T/$1.conf"
}

# script NAME: a program from stdin.
script() {
        { echo '#!/bin/bash'; cat; } >"$T/$1"
        chmod 755 "$T/$1"
}

# Beside `ctl`, whose output stays.
pid_of() {
        "$SUPERVISORCTL" -s "$T/run/control" pid "$1"
}

is_up() {
        "$SUPERVISORCTL" -s "$T/run/control" status "$1" >/dev/null 2>&1
}

# How often a daemon has read its configuration.
times_read() {
        grep -c configured "$T/$1.log"
}

# is_read NAME COUNT: so often; a little after it was told.
is_read() {
        wait_for 20 has_read "$@"
        expect_equal "$(times_read "$1")" "$2" "how often $1 read its file"
}

has_read() {
        [ "$(times_read "$1")" -ge "$2" ]
}

case_a_changed_file_is_a_reload() {
        local a b
        programs naive sleep
        write a good
        configure "$(server a "$(tested a)") b: { command = [ \"$BIN/sleep\", \"1000\" ]; };"
        start_ready
        a=$(pid_of a)
        b=$(pid_of b)
        ctl 0 plan
        expect said '^keep  *a: nothing changed'
        ctl 0 reload
        expect said '^nothing-changed'
        write a good
        ctl 0 plan
        expect said "^reload  *a: $T/a.conf changed"
        is_read a 1
        ctl 0 reload
        expect said '^applied: .*1 with new files, 1 kept'
        is_read a 2
        expect logged 'a: reload: .*a.conf changed'
        expect logged 'a: told to reload its own files by SIGHUP'
        expect logged 'a: reloaded its own files after (0\.[5-9]|[1-9])'
        ctl 0 reload
        expect said '^nothing-changed'
        touch "$T/a.conf"
        kill -HUP "$SUP"
        is_read a 3
        expect_equal "$(pid_of a)" "$a" "the daemon with files"
        expect_equal "$(pid_of b)" "$b" "the one without"
        stop
}

case_a_bad_file_refuses_the_whole_reload() {
        local a other
        programs naive sleep
        write a good
        configure "$(server a "$(tested a)") other: { command = [ \"$BIN/sleep\", \"1000\" ]; };"
        start_ready
        a=$(pid_of a)
        other=$(pid_of other)
        write a $'b\e[31mad'
        configure "$(server a "$(tested a)") other: { command = [ \"$BIN/sleep\", \"1001\" ]; };
                new: { command = [ \"$BIN/sleep\", \"1002\" ]; };"
        ctl 1 reload
        expect said_error '^refused: the configuration test of a failed: .*/naive -t -c .*/a.conf '
        expect said_error 'exited with status 3; nothing was touched'
        expect said_error 'supervisord.conf:[0-9]*: a.reload.check: .*status 3; correct the daemon'
        expect said_error 'a.reload.check: it says: naive: reading .*/a.conf$'
        expect said_error 'a.reload.check: it says: naive: "b.x1b\[31mad" is not good$'
        expect_equal "$(pid_of a)" "$a" "the daemon"
        expect_equal "$(pid_of other)" "$other" "the other one"
        expect_equal "$(count_of sleep)" 1 "the number of the others"
        is_read a 1
        ctl 1 reload --json
        expect said '"verdict": "refused"'
        wait_for 10 told 'STATUS=.*last reload refused: the configuration test of a failed'
        write a good
        ctl 0 reload
        expect said '^applied: 1 started, 1 restarted, .*1 with new files'
        expect_equal "$(pid_of a)" "$a" "the daemon"
        stop
}

# A daemon that is to be restarted, or is new, is not even stopped or started.
case_restarts_and_starts_are_tested_too() {
        local a
        programs naive
        write a good
        write b bad
        configure "$(server a "$(tested a)")"
        start_ready
        a=$(pid_of a)
        write a bad
        configure "$(server a "$(tested a)" 'nice = 1;') $(server b "$(tested b)")"
        ctl 1 reload
        expect said_error '^refused: .*test of a failed'
        expect said_error 'a.reload.check: it says: naive: "bad" is not good'
        expect said_error 'b.reload.check: it says: naive: "bad" is not good'
        expect_equal "$(pid_of a)" "$a" "the daemon"
        expect_equal "$(count_of naive)" 1 "the number of daemons"
        stop
}

case_without_a_test_it_dies_and_all_is_undone() {
        local a other
        programs naive sleep
        write a good
        configure "$(server a '' 'restart: { policy = "never"; };')
                other: { command = [ \"$BIN/sleep\", \"1000\" ]; };"
        start_ready
        write a bad
        configure "$(server a '' 'restart: { policy = "never"; };')
                other: { command = [ \"$BIN/sleep\", \"2000\" ]; };"
        ctl 1 reload
        expect said_error '^rolled-back: a did not reload its own files: it did not survive it: '
        expect said_error 'main process exited with status 3; undone \(the daemons. own files stay'
        expect said_error '1 daemon did not become ready again'
        ctl 3 status a
        expect said 'failed'
        tr '\0' ' ' <"/proc/$(pid_of other)/cmdline" | grep -q ' 1000 ' ||
                fail "the other one does not run with its old settings"
        # with a good one it gets another chance
        write a good
        ctl 0 reload
        ctl 0 status a
        stop
}

case_reloads_cost_no_request() {
        local a b i port
        programs naive client sleep
        write a good
        write b good
        other() {
                configure "$(server a "$(tested a)") $(server b "$(tested b)")
                        other: { command = [ \"$BIN/sleep\", \"$1\" ]; };"
        }
        other 1000
        start_ready
        a=$(pid_of a)
        b=$(pid_of b)
        port=$(cat "$T/a.port")
        "$BIN/client" -p "$port" -r 50 -t "$CASE_LIMIT" -f "$T/flight" >"$T/summary" 2>&1 &
        local client=$!
        wait_for 10 exists "$T/flight"
        for ((i = 1; i <= 20; i++)); do
                if [ $((i % 2)) = 0 ]; then
                        write a bad
                        other $((1000 + i))
                        ctl 1 reload
                        expect said_error '^refused'
                else
                        write a good
                        write b good
                        other $((1000 + i))
                        ctl 0 reload
                        expect said '^applied: .*1 restarted.*2 with new files'
                        is_read a $((i / 2 + 2)) # before it gets a bad one
                fi
        done
        has_ended "$client" && fail "the load was over before the reloads"
        kill -TERM "$client"
        wait "$client" || fail "requests were lost: $(cat "$T/summary")"
        diag "$(cat "$T/summary")"
        expect_equal "$(pid_of a) $(pid_of b)" "$a $b" "the daemons"
        stop
}

# A test that floods, hangs, or leaves something behind.
case_ill_bred_tests() {
        local a rss
        programs naive straygrandchild
        write a good
        script flood <<'SCRIPT'
printf 'the beginning\n' >&2
yes 'a line that is repeated' | head -c 20000000
printf '\nthe very end\n' >&2
exit 9
SCRIPT
        script endless <<'SCRIPT'
exec yes 'for ever and ever'
SCRIPT
        script hang <<'SCRIPT'
trap '' TERM HUP INT
echo 'I wait'
while :; do read -r -t 100 <> <(:); done
SCRIPT
        script leave <<SCRIPT
echo 'I leave somebody behind'
setsid "$BIN/straygrandchild" &
exit 0
SCRIPT
        configure "$(server a)"
        start_ready
        a=$(pid_of a)
        write a good
        rss=$(memory_of "$SUP")

        configure "$(server a "check = [ \"$T/flood\" ];")"
        ctl 1 reload
        expect said_error 'it says: the very end'
        expect_not said_error 'the beginning'
        expect said_error '/flood exited with status 9'

        configure "$(server a "check = [ \"$T/endless\" ]; timeout = \"2s\";")"
        ctl 1 reload
        expect said_error '/endless did not end within 2s and was killed'
        expect said_error 'it says: for ever and ever'

        configure "$(server a "check = [ \"$T/hang\" ]; timeout = \"2s\";")"
        ctl 1 reload
        expect said_error '/hang did not end within 2s and was killed'
        expect said_error 'it says: I wait'
        [ $(($(memory_of "$SUP") - rss)) -lt 4096 ] || is_sanitized ||
                fail "$(memory_of "$SUP") kB after $rss"

        configure "$(server a "check = [ \"$T/leave\" ];")"
        ctl 0 reload
        expect said '^applied: .*1 with new files'
        wait_for 10 has_count straygrandchild 0
        expect_equal "$(pid_of a)" "$a" "the daemon"
        is_read a 2
        stop
}

# It can be stopped in the middle of a test, and does not wait for whoever asked.
case_a_stop_and_a_killed_supervisorctl_during_the_tests() {
        local client a
        programs naive sleep
        write a good
        script slow <<SCRIPT
echo \$\$ >"$T/slow.pid"
until [ -e "$T/go" ]; do "$BIN/sleep" 0.05; done
SCRIPT
        configure "$(server a "check = [ \"$T/slow\" ];")"
        start_ready
        a=$(pid_of a)

        write a good
        "$SUPERVISORCTL" -s "$T/run/control" reload >/dev/null 2>&1 &
        client=$!
        wait_for 10 exists "$T/slow.pid"
        ctl 1 stop a # busy
        expect said_error 'reloading'
        kill -KILL "$client"
        touch "$T/go"
        wait_for 20 logged 'reload applied'
        is_read a 2
        expect_equal "$(pid_of a)" "$a" "the daemon"

        rm "$T/slow.pid" "$T/go"
        write a good
        "$SUPERVISORCTL" -s "$T/run/control" reload >"$T/out" 2>"$T/err" &
        client=$!
        wait_for 10 exists "$T/slow.pid"
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        wait "$client"
        expect_equal $? 0 "the status of supervisorctl"
        expect said 'canceled'
        expect_nothing_left
        expect_equal "$(count_of sleep)" 0 "what is left of the test"
}

case_a_command_tells_it() {
        local a
        programs naive
        write a good
        script tell <<'SCRIPT'
kill -HUP "$MAINPID" || exit 7
echo "told $MAINPID"
SCRIPT
        command_of() {
                configure "a: { command = [ \"$BIN/naive\", \"-c\", \"$T/a.conf\",
                                \"-i\", \"$T/a.log\" ]; ready: { on = \"listen\"; };
                        reload: { command = [ $1 ]; files = [ \"$T/a.conf\" ]; }; };"
        }
        command_of "\"$T/tell\""
        start_ready
        a=$(pid_of a)
        write a good
        ctl 0 reload
        is_read a 2
        write a good
        command_of '"/bin/false", "reload"'
        ctl 1 reload
        expect said_error '^rolled-back: a did not reload its own files: /bin/false reload exited '
        expect_equal "$(pid_of a)" "$a" "the daemon"
        command_of "\"$T/tell\""
        ctl 0 reload # it has not read the last file yet
        is_read a 3
        stop
}

case_one_that_says_that_it_reloads_is_waited_for() {
        local a client
        programs notifier
        speaker() {
                configure "a: { type = \"notify\";
                        command = [ \"$BIN/notifier\", \"-H\", \"$T/go\" ];
                        reload: { signal = \"HUP\"; files = [ \"$T/a.conf\" ];
                                timeout = \"$1\"; }; };"
        }
        write a good
        speaker 60s
        start_ready
        a=$(pid_of a)
        write a good
        "$SUPERVISORCTL" -s "$T/run/control" reload >"$T/out" 2>"$T/err" &
        client=$!
        wait_for 20 logged 'a: told to reload its own files'
        holds 1 is_running "$client"
        touch "$T/go"
        wait "$client" || fail "it did not reload: $(cat "$T/err")"
        expect said '1 with new files'
        expect logged 'a: reloaded its own files after [1-9]'
        write a good
        speaker 300ms
        ctl 1 reload
        expect said_error 'a did not reload its own files: it said RELOADING=1, but not READY=1 within'
        expect_equal "$(pid_of a)" "$a" "the daemon"
        stop
}

# A bad file is as deadly to one that is slow to hear of it.
case_one_that_takes_the_signal_late() {
        local a client
        programs naive
        write a good
        configure "$(server a '' 'restart: { policy = "never"; };')"
        start_ready
        a=$(pid_of a)
        write a bad
        kill -STOP "$a"
        wait_for 10 grep -q '^State:.T' "/proc/$a/status"
        "$SUPERVISORCTL" -s "$T/run/control" reload >"$T/out" 2>"$T/err" &
        client=$!
        wait_for 20 logged 'a: told to reload its own files'
        holds 1 is_running "$client"
        kill -CONT "$a"
        wait "$client"
        expect_equal $? 1 "the status of supervisorctl"
        expect said_error '^rolled-back: a did not reload its own files: it did not survive it: '
        stop
}

case_a_directory_counts_with_its_files() {
        programs naive
        write a good
        mkdir "$T/a.d"
        directory() {
                configure "a: { command = [ \"$BIN/naive\", \"-c\", \"$T/a.conf\",
                                \"-i\", \"$T/a.log\" ]; ready: { on = \"listen\"; };
                        reload: { signal = \"HUP\"; files = [ \"$T/a.d\", \"$T/missing\" ]; }; };"
        }
        directory
        start_ready
        expect logged 'a.reload.files: .*/missing. does not exist'
        echo 1 >"$T/a.d/one"
        ctl 0 plan
        expect said "^reload  *a: $T/a.d changed"
        ctl 0 reload
        is_read a 2
        echo 2 >"$T/a.d/one"
        ctl 0 reload
        expect said '1 with new files'
        is_read a 3
        echo 3 >"$T/a.d/.one.swp"
        ctl 0 reload
        expect said '^nothing-changed'
        rm "$T/a.d/one"
        mkfifo "$T/missing"
        ctl 0 plan
        expect said "^reload  *a: $T/a.d changed"
        ctl 0 reload
        is_read a 4
        stop
}

# supervisorctl reload NAME…: whatever the files say.
case_on_its_own() {
        local a b lines
        programs naive sleep
        write a good
        write b good
        configure "$(server a "$(tested a)") $(server b) s: { command = [ \"$BIN/sleep\", \"99\" ]; };"
        start_ready
        a=$(pid_of a)
        b=$(pid_of b)
        ctl 0 reload a
        expect said '^a: reloaded$'
        is_read a 2
        ctl 0 reload '[ab]'
        expect_equal "$(wc -l <"$T/out")" 2 "the number of lines"
        is_read a 3
        is_read b 2
        expect logged 'own reload of a, b asked for by uid 0'
        expect_equal "$(pid_of a) $(pid_of b)" "$a $b" "the daemons"
        ctl 0 reload
        expect said '^nothing-changed' # they have read what is there

        # one that cannot be told: nobody is
        ctl 1 reload a s
        expect said_error 's cannot be told to read its own files anew: set reload.signal or'
        ctl 1 reload all
        ctl 4 reload aa
        expect said_error "did you mean 'a'"
        is_read a 3

        # a bad file, with a test and without one
        write a bad
        write b bad
        ctl 1 reload a
        expect said_error '^a: refused: its configuration test failed: .*naive -t .* status 3$'
        expect said_error '^ *naive: "bad" is not good$'
        expect logged 'a: did not reload its own files: its configuration test failed'
        ctl 1 reload a --json
        lines=$(tr -d '\n' <"$T/out" | tr -s ' ')
        grep -q '"outcome": "refused", "reason": "its .*"output": \[ "naive: reading' <<<"$lines" ||
                fail "$lines"
        expect_equal "$(pid_of a)" "$a" "the one with a test"
        ctl 1 reload b
        expect said_error '^b: failed: it did not survive it: main process exited with status 3$'
        write a good
        write b good
        wait_for 20 is_up b
        ctl 0 reload a b

        # one that is not running, and one that nobody waits for
        ctl 0 stop b
        ctl 1 reload b
        expect said_error '^b: failed: it is not running, but stopped$'
        write a good
        lines=$(times_read a)
        ctl 0 reload a --no-wait
        wait_for 10 eval '[ "$(times_read a)" -gt "$lines" ]'
        ctl 75 --timeout=100ms reload a
        expect_equal "$(pid_of a)" "$a" "the one with a test"
        stop
}

run_cases "$@"
