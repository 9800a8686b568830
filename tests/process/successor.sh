#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Daemons that change their main process while they work, and masters that leave workers behind.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

main_of() {
        "$SUPERVISORCTL" -s "$T/run/control" pid "$1"
}

# what NAME WORD: the last process that noted this.
what() {
        awk -v word="$2" '$1 == word { last = $2 } END { print last }' "$T/$1.log"
}

followed() {
        logged " $1: its main process is now $(what "$1" "$2"), the successor of $3"
}

# exim4 and sshd at SIGHUP, nginx at SIGUSR2 with a pidfile, gunicorn without one.
case_main_processes_that_change() {
        local name exim nginx gunicorn
        programs illbred
        configure "exim: { type = \"forking\"; pidfile = \"$T/exim.pid\"; reload: { signal = \"HUP\"; };
                        command = $(list "$BIN/illbred" "log=$T/exim.log" "pidfile=$T/exim.pid" \
                                background=early hup=again port=0 "pidfile-delay=30"); };
                nginx: { type = \"forking\"; pidfile = \"$T/nginx.pid\";
                        command = $(list "$BIN/illbred" "log=$T/nginx.log" "pidfile=$T/nginx.pid" \
                                background=honest usr2=successor port=0 workers=2); };
                gunicorn: { command = $(list "$BIN/illbred" "log=$T/gunicorn.log" \
                                usr2=successor port=0 workers=2); };"
        start_ready
        wait_for 20 grep -qs '^ready' "$T/gunicorn.log" # it hears its signals now
        exim=$(main_of exim) nginx=$(main_of nginx) gunicorn=$(main_of gunicorn)
        ctl 0 reload exim
        wait_for 20 followed exim started "$exim"
        for name in nginx gunicorn; do
                ctl 0 signal USR2 $name
                wait_for 20 grep -q '^successor' "$T/$name.log"
                ctl 0 signal QUIT $name
        done
        wait_for 20 followed nginx successor "$nginx"
        wait_for 20 followed gunicorn successor "$gunicorn"
        expect_not logged '(exim|nginx|gunicorn): main process (exited|killed|ended)'
        expect_equal "$(log_count ': starting, process')" 3 "the number of starts"
        stop
}

# Workers that keep the port after the master's death are ended before its replacement starts.
case_workers_that_keep_the_port() {
        local port master
        programs illbred client
        port=$(free_port)
        configure "a: { command = $(list "$BIN/illbred" "log=$T/a.log" "port=$port" workers=3);
                ready: { on = \"listen\"; }; };"
        start_ready
        master=$(main_of a)
        kill -KILL "$master"
        wait_for 20 logged 'a: starting again in'
        wait_for 20 eval "[ \"\$(log_count 'a: ready after')\" = 2 ]"
        expect_equal "$(log_count 'a: starting, process')" 2 "the number of starts"
        expect_equal "$("$BIN/client" -p "$port" -n 1)" "requests 1 answered 1 cut 0 refused 0" \
                "what its clients see"
        stop
}

run_cases "$@"
