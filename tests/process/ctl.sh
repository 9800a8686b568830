#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# supervisorctl: each command with its exit status, what it says to people and to programs.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

three() {
        programs sleep notifier
        configure "db: { command = [ \"$BIN/sleep\", \"infinity\" ]; };
                web-1: { command = [ \"$BIN/sleep\", \"infinity\" ]; requires = [ \"db\" ]; };
                web-2: { type = \"notify\"; command = [ \"$BIN/notifier\" ]; };" "${1-}"
        start_ready
}

# Beside `ctl`, whose output stays.
pid_of() {
        "$SUPERVISORCTL" -s "$T/run/control" pid "$1"
}

# Lines of JSON, whatever stands between.
json() {
        tr -d '\n' <"$T/out" | tr -s ' ' | grep -Eq -- "$1"
}

case_status_shows_all() {
        three
        ctl 0 status
        expect_equal "$(wc -l <"$T/out")" 3 "the number of lines"
        expect said "^db  *running  *$(pid_of db)  *"
        ctl 0 status
        expect said '^web-2 .*notifier is at work$'
        expect_not said $'\033' # colours only on a terminal
        ctl 0
        expect said '^db '
        ctl 0 stop web-1
        ctl 3 status
        expect said '^web-1  *stopped  *- '
        ctl 0 status db web-2
        ctl 3 status web-1 db
        ctl 3 status 'web-*'
        expect_not said '^db'
        stop
}

case_status_of_one_shows_more() {
        three
        ctl 0 status web-1
        expect said 'state  *running'
        expect said 'requires  *db'
        expect said "process  *$(pid_of web-1)"
        ctl 0 status web-2
        expect said 'notifier is at work'
        stop
}

case_json_is_for_programs() {
        three
        ctl 0 status --json
        expect json '^ ?\[ ?\{'
        expect json '"name": "db", "state": "running", "waiting": false'
        expect json "\"waiting\": false, \"pid\": $(pid_of db),"
        expect json '"state_seconds": [0-9]+\.[0-9]{1,6},'
        expect json '"requires": \[ ?"db" ?\]'
        ctl 0 avail --json
        expect json '"db", "web-1", "web-2"'
        ctl 0 stop web-2 --json
        expect json '"name": "web-2", "state": "stopped", .*"ok": true'
        ctl 3 status --json web-2
        expect json '"state": "stopped"'
        ctl 0 plan --json
        expect json '"valid": true, "findings": \[\], "entries": \[ ?\{ ?"name": "db"'
        expect json '"name": "db", "action": "keep"'
        ctl 0 reload --json
        expect json '"verdict": "nothing-changed"'
        echo nonsense >"$T/supervisord.conf"
        ctl 1 reload --json
        expect json '"verdict": "refused", .*"findings": \[ ?".*supervisord.conf:[0-9]'
        ctl 1 check --json
        expect json '"valid": false'
        stop
}

case_start_stop_and_restart() {
        local db web
        three
        db=$(pid_of db)
        web=$(pid_of web-1)
        ctl 0 stop db
        expect said '^db: stopped'
        expect has_ended "$db"
        expect has_ended "$web" # it requires db
        ctl 3 status db web-1
        ctl 0 start web-1
        expect said '^web-1: running'
        ctl 0 status db web-1
        db=$(pid_of db)
        ctl 0 restart web-1
        expect said '^web-1: running'
        expect_equal "$(pid_of db)" "$db" "what is required by it"
        ctl 0 restart db
        [ "$(pid_of db)" != "$db" ] || fail "db was not restarted"
        ctl 0 status db web-1
        ctl 0 start db db 'web-*' all
        stop
}

case_patterns_and_all() {
        three
        ctl 0 pid 'web-*'
        expect_equal "$(wc -l <"$T/out")" 2 "the number of pids"
        ctl 0 pid
        expect_equal "$(wc -l <"$T/out")" 3 "the number of pids"
        ctl 0 stop 'web-[12]'
        expect_equal "$(wc -l <"$T/out")" 2 "the number of lines"
        ctl 0 status db
        ctl 0 stop all
        expect_equal "$(count_of sleep)" 0 "what is left"
        ctl 3 pid db
        expect said '^0$'
        ctl 0 start all
        ctl 0 status
        ctl 4 stop 'nothing-*'
        stop
}

case_a_start_that_fails_says_why() {
        programs sleep
        configure "a: { command = [ \"/bin/false\" ]; type = \"notify\";
                        restart: { policy = \"never\"; }; };
                b: { command = [ \"$BIN/sleep\", \"infinity\" ]; requires = [ \"a\" ]; };"
        start_ready
        ctl 1 start b
        expect said_error 'b: failed: it requires a, which is failed'
        ctl 1 start a
        expect said_error 'a: failed: .*status 1'
        ctl 3 status
        stop
}

case_signal() {
        local db
        three
        db=$(pid_of db)
        ctl 0 signal STOP db
        wait_for 10 grep -q '^State:.*T' "/proc/$db/status"
        ctl 0 signal SIGCONT db
        wait_for 10 grep -q '^State:.*S' "/proc/$db/status"
        ctl 0 signal 9 db
        wait_for 10 has_ended "$db"
        ctl 2 signal NONSENSE db
        expect said_error 'no signal'
        ctl 0 stop web-2
        ctl 1 signal HUP web-2
        expect said_error 'no main process'
        ctl 2 signal HUP
        stop
}

case_unknown_names_have_a_nearest_one() {
        local command
        three
        for command in status start stop restart pid; do
                ctl 4 $command wep-1
                expect said_error "'wep-1'; did you mean 'web-1'"
        done
        ctl 4 signal HUP dbb
        expect said_error "did you mean 'db'"
        ctl 4 stop db completely-different
        expect said_error 'completely-different'
        # What a terminal would obey is shown, not sent.
        ctl 4 stop $'we\e[31mb'
        expect said_error "'we\\\\x1b\[31mb'"
        ctl 0 status # nothing was stopped
        stop
}

case_plan_says_what_a_reload_would_do() {
        local before
        three
        before=$(processes | sort)
        configure "db: { command = [ \"$BIN/sleep\", \"1000\" ]; };
                web-1: { command = [ \"$BIN/sleep\", \"infinity\" ]; requires = [ \"db\" ]; };
                new: { command = [ \"$BIN/sleep\", \"infinity\" ]; };"
        ctl 0 plan
        expect said '^restart  *db: command .*"infinity".* -> .*"1000"'
        expect said '^restart  *web-1: it requires db'
        expect said '^start  *new: it is new'
        expect said '^stop  *web-2: it is not configured any more'
        ctl 0 reread
        expect said '^restart  *db'
        expect_equal "$(processes | sort)" "$before" "the processes"
        ctl 0 check
        expect said 'valid'
        ctl 0 update
        expect said '^applied: '
        ctl 0 avail
        expect_equal "$(sort "$T/out" | tr '\n' ' ')" 'db new web-1 ' "the names"
        echo 'daemons: { a: { comand = [ "/bin/true" ]; }; };' >"$T/supervisord.conf"
        ctl 1 plan
        expect said_error 'supervisord.conf:1: .*command'
        ctl 1 check
        expect said_error 'supervisord.conf:1: .*command'
        stop
}

case_shutdown_and_version() {
        three
        ctl 0 version
        expect said '^supervisorctl [0-9]'
        expect said '^supervisord [0-9]'
        ctl 0 shutdown
        ended
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left
}

# check_alone STATUS [OPTION]: without a socket that would have to answer.
check_alone() {
        local status
        "$SUPERVISORCTL" -c "$T/supervisord.conf" check "${@:2}" >"$T/out" 2>"$T/err"
        status=$?
        expect_equal "$status" "$1" "exit status of check"
}

case_without_a_supervisor() {
        local command
        for command in status reload plan check avail pid shutdown version 'stop a'; do
                # shellcheck disable=SC2086 # words
                ctl 69 $command
                expect said_error 'no supervisord answers'
                expect said_error 'systemctl start supervisord'
        done
        configure 'a: { command = [ "/bin/true" ]; };'
        check_alone 0
        expect said '^the configuration is valid'
        expect said_error "no supervisord runs.* $T/supervisord.conf"
        echo 'daemons: { a: { comand = [ "/bin/true" ]; }; };' >"$T/supervisord.conf"
        check_alone 1
        expect said_error 'supervisord.conf:1: .*command'
        check_alone 1 --json
        expect json '"valid": false, "findings": \[ ?".*supervisord.conf:1: '
        echo nonsense >"$T/supervisord.conf"
        check_alone 1
        expect said_error 'supervisord.conf:[0-9]'
        mkdir "$T/run"
        python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \
                "$T/run/control"
        ctl 69 status
        rm -r "$T/run"
}

# A terminal is as good as none, and what is printed at once as what takes the long way.
case_the_quick_status_is_the_full_one() {
        local way
        programs sleep notifier
        configure "runs: { command = [ \"$BIN/sleep\", \"infinity\" ]; };
                says: { type = \"notify\"; command = [ \"$BIN/notifier\" ]; };
                fails: { command = [ \"/bin/false\" ]; restart: { policy = \"never\"; }; };"
        start_ready
        wait_for 10 logged ' fails: given up'
        for way in "$SUPERVISORCTL" "$SUPERVISORCTL-full"; do
                "$way" -s "$T/run/control" status |
                        sed -E 's/ +[0-9.]+ (s|min [0-9]+ s) / TIME /' >"$T/out"
                expect_equal "${PIPESTATUS[0]}" 3 "exit status"
                mv "$T/out" "$T/$(basename "$way").out"
        done
        diff "$T/supervisorctl.out" "$T/supervisorctl-full.out" || fail "they differ"
        expect grep -q '^fails  *failed  *- TIME  *main process exited with status 1' "$T/supervisorctl.out"
        expect grep -q '^says  *running .* notifier is at work$' "$T/supervisorctl.out"
        expect_equal "$(wc -l <"$T/supervisorctl.out")" 3 "the number of lines"
        "$SUPERVISORCTL" -s "$T/run/control" status >/dev/full 2>"$T/err"
        expect_equal $? 1 "exit status"
        expect said_error 'cannot be written: No space'
        stop
}

# A journalctl that tells what it is asked for.
fake_journalctl() {
        mkdir "$T/fake"
        printf '#!/bin/sh\necho "$@"\n' >"$T/fake/journalctl"
        chmod 755 "$T/fake/journalctl"
        PATH=$T/fake:$PATH
}

# tail_asks WORDS ARGUMENT…: `tail` runs journalctl with these words.
tail_asks() {
        local wanted=$1
        shift
        ctl 0 tail "$@"
        expect_equal "$(cat "$T/out")" "$wanted" "what journalctl is asked for"
}

matches() {
        local name text=
        for name in "$@"; do text+="SYSLOG_IDENTIFIER=$name "; done
        text+=+
        for name in "$@"; do text+=" SUPERVISOR_DAEMON=$name"; done
        echo "$text"
}

case_tail_asks_for_daemons() {
        fake_journalctl
        three
        tail_asks "-n20 $(matches db)" db
        tail_asks "-n20 $(matches web-1 web-2 db)" 'web-*' db web-1
        tail_asks "-n20 $(matches db web-1 web-2)" all
        tail_asks "-f -n 5 $(matches web-2 db)" web-2 db -- -f -n 5
        ctl 4 tail db wbe-1
        expect said_error "did you mean 'web-1'"
        expect_equal "$(cat "$T/out")" "" "what journalctl was asked for"
        ctl 4 tail 'nobody-*'
        ctl 2 tail
        ctl 2 tail -- -f
        stop
}

case_tail_needs_no_supervisor() {
        local config=$T/supervisord.conf
        fake_journalctl
        configure "a: { command = [ \"/bin/true\" ]; };
                b: { command = [ \"/bin/true\" ]; output: { identifier = \"bee\"; }; };"
        tail_asks "-n20 SYSLOG_IDENTIFIER=a SYSLOG_IDENTIFIER=bee + SUPERVISOR_DAEMON=a SUPERVISOR_DAEMON=b" \
                -c "$config" all
        ctl 4 tail -c "$config" c
        # of which configuration this socket is nobody can say
        tail_asks "-n20 $(matches a c)" a c
        ctl 69 tail 'a*'
        ctl 69 tail all
        expect said_error 'no supervisord answers'
}

case_tail_knows_the_identifiers() {
        fake_journalctl
        programs sleep
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ];
                output: { to = \"null\"; identifier = \"ay\"; }; };"
        start_ready
        tail_asks '-n20 SYSLOG_IDENTIFIER=ay + SUPERVISOR_DAEMON=a' a
        stop
}

case_the_full_one_is_missing() {
        three
        cp "$SUPERVISORCTL" "$T"
        SUPERVISORCTL=$T/supervisorctl
        ctl 0 status
        [ ! -e /usr/libexec/supervisord/supervisorctl-full ] || skip "it is installed"
        ctl 1 status db
        expect said_error 'cannot run .*supervisorctl-full: No such file'
        stop
}

case_wrong_usage() {
        three
        ctl 2 no-such-command
        expect said_error "there is no command 'no-such-command'"
        ctl 2 statsu
        expect said_error "did you mean 'status'"
        ctl 2 stop
        ctl 4 reload now
        ctl 2 --no-such-option status
        ctl 2 --timeout=soon stop db
        expect said_error '30s'
        ctl 0 --help
        expect said 'Exit status'
        ctl 0 --version
        stop
}

case_waiting_has_an_end() {
        programs slowdrain
        configure "a: { command = $(list "$BIN/slowdrain" -a "$T/go" -f "$T/mark");
                freeze: { signal = \"USR1\"; }; drain: { until = \"exit\"; timeout = \"60s\"; }; };"
        start_ready
        wait_for 10 exists "$T/mark"
        ctl 75 --timeout=200ms stop a
        ctl 3 status a
        ctl 0 stop a --no-wait
        : >"$T/go"
        wait_for 20 eval 'ctl 3 status a && said "state  *stopped"'
        stop
}

case_the_socket_is_found_by_the_configuration() {
        three "control = \"$T/ctl.sock\";"
        "$SUPERVISORCTL" -c "$T/supervisord.conf" status >"$T/out" 2>&1 || fail "$(cat "$T/out")"
        expect said '^db '
        stop
        expect is_gone "$T/ctl.sock"
}

as_nobody() {
        local wanted=$1
        shift
        setpriv --reuid=65534 --regid=65534 --clear-groups \
                "$SUPERVISORCTL" -s "$T/run/control" "$@" >"$T/out" 2>"$T/err"
        expect_equal $? "$wanted" "the status of supervisorctl $*"
}

# A copy that everybody can run, wherever the build is.
open_to_all() {
        needs_root
        cp "$SUPERVISORCTL" "$SUPERVISORCTL-full" "$T"
        SUPERVISORCTL=$T/supervisorctl
}

case_others_are_refused() {
        open_to_all
        three
        as_nobody 77 status
        expect said_error 'admin_group'
        as_nobody 77 stop all
        ctl 0 status
        stop
}

case_readers_may_look() {
        local command
        open_to_all
        getent group nogroup >/dev/null || skip "there is no group nogroup"
        three 'reader_group = "nogroup";'
        as_nobody 0 status
        expect said '^db .*running'
        as_nobody 0 avail
        for command in 'stop all' 'start db' 'restart db' 'signal TERM db' reload 'reload db' \
                shutdown; do
                # shellcheck disable=SC2086 # words
                as_nobody 77 $command
        done
        ctl 0 status
        stop
}

case_admins_may_do_everything() {
        open_to_all
        getent group nogroup >/dev/null || skip "there is no group nogroup"
        three 'admin_group = "nogroup";'
        as_nobody 0 status
        as_nobody 0 restart db
        as_nobody 0 reload
        as_nobody 0 shutdown
        ended
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left
}

run_cases "$@"
