#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The habits of real daemons, class by class (tests/daemons/README.md), many of them side by side
# under one supervisord, which is what it is for.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

DAEMONS=

# ill NAME SETTINGS WORD…: one more daemon; it notes in $T/NAME.log what happens to it.
ill() {
        local name=$1 settings=$2
        shift 2
        DAEMONS+="$name: { $settings command = $(list "$BIN/illbred" "log=$T/$name.log" "$@"); };
"
}

# forking NAME SETTINGS WORD…: one that daemonizes and has a pidfile.
forking() {
        local name=$1 settings=$2
        shift 2
        ill "$name" "type = \"forking\"; pidfile = \"$T/$name.pid\"; $settings" \
                "pidfile=$T/$name.pid" "$@"
}

# asked NAME…: beside each of these somebody who needs it, and asks once for an answer.
asked() {
        local name
        programs client sleep
        cat >"$BIN/ask" <<SCRIPT
#!/bin/sh
"$BIN/client" -p "\$(cat "$T/\$1.port")" -n 1 >"$T/\$1.asked" 2>&1
exec "$BIN/sleep" infinity
SCRIPT
        chmod 755 "$BIN/ask"
        for name in "$@"; do
                DAEMONS+="ask_$name: { requires = [ \"$name\" ]; restart: { policy = \"never\"; };
                        command = $(list "$BIN/ask" "$name"); };
"
        done
}

begin() {
        programs illbred
        configure "$DAEMONS"
        start_ready
}

main_of() {
        "$SUPERVISORCTL" -s "$T/run/control" pid "$1"
}

# what NAME WORD: the last process that noted this.
what() {
        awk -v word="$2" '$1 == word { last = $2 } END { print last }' "$T/$1.log"
}

noted() {
        grep -qs "^$2 " "$T/$1.log"
}

# is_up NAME COUNT: it has become ready so many times.
is_up() {
        [ "$(log_count " $1: ready after")" -ge "$2" ]
}

# has_another_main NAME: than in $T/NAME.before, and it is the one that was started last.
has_another_main() {
        local now
        now=$(main_of "$1")
        [ "$now" != "$(content "$T/$1.before")" ] && [ "$now" = "$(what "$1" started)" ] &&
                noted "$1" ready
}

is_served() {
        [ "$("$BIN/client" -p "$1" -n 3 -T 20)" = "requests 3 answered 3 cut 0 refused 0" ]
}

# Somebody who has nothing to do with it; a signal would end it, and it ends with the case.
bystander() {
        tail -f --pid=$$ /dev/null &
        BYSTANDER=$!
        disown
}

expect_bystander_unharmed() {
        is_running "$BYSTANDER" || fail "a process that is none of theirs was ended"
        kill -KILL "$BYSTANDER"
}

# Classes A to F: nobody is ready before it is, and each main process is the right one.
case_starts_of_every_kind() {
        local name daemons=(honest unknown late empty old early sessions kid watched talking)
        local listen='ready: { on = "listen"; };'
        bystander
        forking honest '' background=honest port=0 "port-file=$T/honest.port" workers=2 \
                own-sessions=yes
        ill unknown "type = \"forking\"; $listen" background=early port=0 \
                "port-file=$T/unknown.port" listen-delay=100
        forking late '' background=early port=0 "port-file=$T/late.port" pidfile-delay=150
        forking empty '' background=early port=0 "port-file=$T/empty.port" pidfile-first=empty \
                pidfile-delay=13
        forking old '' background=early port=0 "port-file=$T/old.port" \
                "pidfile-first=$BYSTANDER" pidfile-delay=230
        forking early "$listen" background=early port=0 "port-file=$T/early.port" \
                pidfile-early=yes listen-delay=200
        ill sessions "$listen" port=0 "port-file=$T/sessions.port" sessions=yes listen-delay=100
        ill kid 'type = "notify";' port=0 "port-file=$T/kid.port" notify=kid listen-delay=100
        forking watched '' background=early watchdog=yes port=0 "port-file=$T/watched.port"
        forking talking "output: { to = \"file\"; file = \"$T/talk\"; };" background=honest \
                port=0 "port-file=$T/talking.port" print=512 mute=yes
        asked "${daemons[@]}"
        begin
        for name in "${daemons[@]}"; do
                wait_for 20 exists "$T/$name.asked"
                wait_for 20 grep -q . "$T/$name.asked"
                expect_equal "$(content "$T/$name.asked")" \
                        "requests 1 answered 1 cut 0 refused 0" "what $name answered"
                expect_equal "$(main_of "$name")" "$(what "$name" started)" "the process of $name"
                expect_equal "$(log_count " $name: starting, process")" 1 "the starts of $name"
        done
        expect [ "$(wc -c <"$T/talk")" -ge $((512 * 1024)) ]
        stop
        expect_bystander_unharmed
}

# Classes E, I, K and N: what a main process leaves keeps the port, and nobody may start beside it.
case_killed_main_processes() {
        local name port_prefork port_session daemons=(prefork session helper watched second)
        local quickly='stop: { signals = "TERM 300ms, KILL"; };'
        programs client
        port_prefork=$(free_port)
        port_session=$(free_port)
        forking prefork '' background=honest "port=$port_prefork" workers=3 own-sessions=yes
        ill session "ready: { on = \"listen\"; }; $quickly" "port=$port_session" sessions=yes \
                delay=60000
        forking helper "$quickly" background=early helper=yes
        forking watched "$quickly" background=early watchdog=yes
        forking second '' background=honest port=0 "port-file=$T/second.port" reuse=yes workers=2
        begin
        "$BIN/client" -p "$port_session" -n 1 >"$T/session.client" &
        wait_for 20 noted session session
        for name in "${daemons[@]}"; do
                what "$name" started >"$T/$name.before"
                [ "$(main_of "$name")" = "$(content "$T/$name.before")" ] || fail "$name"
                kill -KILL "$(content "$T/$name.before")"
        done
        for name in "${daemons[@]}"; do
                # the watchdog is faster: what it starts is followed
                [ "$name" = watched ] || wait_for 30 is_up "$name" 2
                wait_for 30 has_another_main "$name"
        done
        expect_not logged 'start failed'
        expect is_served "$port_prefork"
        expect has_ended "$(what session session)"
        # four, one, two, two and three: nothing of those before is left
        wait_for 20 has_count illbred 12
        stop
}

# Class D and lesson 4: exit status 0 of the first process is not success.
case_failed_starts_are_told() {
        local name port
        local once='restart: { policy = "never"; };' listen='ready: { on = "listen"; };'
        programs client
        port=$(free_port)
        ill holder "ready: { on = \"listen\"; port = $port; };" "port=$port"
        once+=' requires = [ "holder" ];'
        forking honest "$once" background=honest "port=$port"
        forking early "$once $listen" background=early "port=$port" listen-delay=50
        ill unknown "type = \"forking\"; $once $listen" background=early "port=$port" \
                listen-delay=50
        ill stays "type = \"forking\"; $once ready: { on = \"listen\"; timeout = \"1s\"; };" \
                background=early "port=$port" retry=yes
        ill broken "type = \"forking\"; $once $listen" background=early "config=$T/broken" port=0 \
                listen-delay=50
        forking nobody "$once ready: { timeout = \"1s\"; };" background=early term=again \
                "pidfile-first=$$" pidfile-delay=60000
        begin
        for name in honest early unknown stays broken nobody; do
                expect logged " $name: start failed: "
                expect logged " $name: given up"
                expect_not logged " $name: ready"
        done
        expect logged ' honest: start failed: its first process exited with status 1'
        expect logged ' (early|unknown): start failed: .*(before it was ready|nothing of it is left)'
        expect logged ' stays: start failed: it was not ready within 1s'
        expect logged " nobody: start failed: pidfile .* names process $$"
        expect has_count illbred 1
        stop
}

# Class H and lesson 9: TERM means something else, or comes to nothing. L: HUP is never passed on.
case_signals_that_mean_something_else() {
        local name
        ill uwsgi 'stop: { signals = "TERM 2s, INT 20s, KILL"; };' term=again
        ill squid 'stop: { signals = "TERM 30s, KILL"; };' term=slow term-time=600
        ill slower 'stop: { signals = "TERM 200ms, KILL"; };' term=slow term-time=31000
        ill ignoring 'stop: { signals = "TERM 200ms, KILL"; };' term=ignore
        ill blocking 'stop: { signals = "TERM 200ms, KILL"; };' term=block
        ill killed 'stop: { signals = "TERM 20s, KILL"; };' term=die
        ill slapd '' hup=die
        forking pinger 'stop: { signals = "TERM 2s, KILL"; };' background=honest helper=yes
        begin
        for name in uwsgi squid slower ignoring blocking killed slapd; do
                wait_for 20 noted "$name" ready
        done
        wait_for 20 noted pinger helper
        kill -HUP "$SUP"
        wait_for 20 logged 'nothing.*changed|unchanged'
        expect is_running "$(what slapd started)"
        stop
        expect noted uwsgi again
        expect noted squid ended
        expect noted pinger ended
        for name in slower ignoring blocking pinger; do
                expect logged " $name: did not end within .*, killing 1 process"
        done
        expect_not logged ' (uwsgi|squid|killed|slapd): did not end'
        expect logged ' killed: stopped'
}

# Class F: the work is in processes that outlive the main one, each in a session of its own.
case_sessions_outlive_the_main_process() {
        local name
        programs client
        ill plain 'ready: { on = "listen"; };' port=0 "port-file=$T/plain.port" sessions=yes \
                delay=800
        ill sshd 'ready: { on = "listen"; }; freeze: { signal = "TERM"; };
                drain: { until = "exit"; };' port=0 "port-file=$T/sshd.port" sessions=yes delay=800
        begin
        for name in plain sshd; do
                "$BIN/client" -p "$(content "$T/$name.port")" -n 3 -f "$T/$name.flight" \
                        >"$T/$name.client" &
                wait_for 20 exists "$T/$name.flight"
        done
        stop
        for name in plain sshd; do
                wait_for 20 grep -q . "$T/$name.client"
                expect_equal "$(content "$T/$name.client")" \
                        "requests 3 answered 3 cut 0 refused 0" "what $name answered"
        done
        expect_equal "$(log_count 'forced')" "$(log_count ' 0 forced')" "lines that say forced"
}

# Classes C and J: another main process while the pidfile keeps the old number for good, the same
# one after an exec, and a successor that dies of a bad file.
case_pidfiles_never_rewritten() {
        local name first
        echo good >"$T/config"
        forking exim 'reload: { signal = "HUP"; };' background=honest hup=again pidfile-once=yes
        ill sshd 'reload: { signal = "HUP"; };' hup=again port=0 workers=1
        forking nginx '' background=honest usr2=successor "config=$T/config" port=0 workers=1
        begin
        for name in exim sshd nginx; do
                wait_for 20 noted "$name" ready
                main_of "$name" >"$T/$name.first"
        done
        echo bad >"$T/config"
        ctl 0 reload exim
        ctl 0 reload sshd
        ctl 0 signal USR2 nginx
        for name in exim sshd; do
                wait_for 20 eval "[ \"\$(grep -c '^ready' '$T/$name.log')\" = 2 ]"
        done
        wait_for 20 noted nginx successor
        wait_for 20 has_ended "$(what nginx successor)"
        wait_for 20 eval "[ \"\$(main_of exim)\" = $(what exim started) ]"
        expect_equal "$(content "$T/exim.pid")" "$(content "$T/exim.first")" "the pidfile"
        expect_equal "$(main_of sshd)" "$(content "$T/sshd.first")" "the process of sshd"
        expect_equal "$(main_of nginx)" "$(content "$T/nginx.first")" "the process of nginx"
        for name in exim sshd nginx; do
                expect_equal "$(log_count " $name: starting, process")" 1 "the starts of $name"
        done
        stop
        expect noted exim ended
}

# Class N: a second one that somebody starts by hand writes the pidfile, and dies or stays.
case_a_second_one_by_hand() {
        local name port first
        programs client
        port=$(free_port)
        forking uwsgi '' background=honest "port=$port" pidfile-early=yes
        forking haproxy '' background=honest port=0 reuse=yes
        begin
        bystander
        for name in uwsgi haproxy; do
                what "$name" started >"$T/$name.first"
        done
        # as an operator would, and so none of ours
        expect_not "$BIN/illbred" "pidfile=$T/uwsgi.pid" pidfile-early=yes background=honest \
                "port=$port"
        echo "$BYSTANDER" >"$T/haproxy.pid"
        expect_not [ "$(content "$T/uwsgi.pid")" = "$(content "$T/uwsgi.first")" ]
        for name in uwsgi haproxy; do
                first=$(content "$T/$name.first")
                expect_equal "$(main_of "$name")" "$first" "the process of $name"
                kill -KILL "$first"
                wait_for 20 is_up "$name" 2
                expect_equal "$(main_of "$name")" "$(what "$name" started)" "the next of $name"
        done
        expect is_served "$port"
        stop
        expect_bystander_unharmed
}

run_cases "$@"
