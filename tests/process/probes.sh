#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Probes of real daemons: readiness by a command and by a line of the output, health, the watchdog;
# and probes that misbehave in every way.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# How long something that must not happen is looked out for.
SHORT=1

not_told() {
        ! told "$1"
}

case_ready_by_command() {
        programs sleep prober
        configure "a: { ready: { interval = \"50ms\"; command = $(list "$BIN/prober" "$T/go"); };
                command = $(list "$BIN/sleep" infinity); };"
        start
        wait_for 10 has_count sleep 1
        holds $SHORT not_told READY=1
        touch "$T/go"
        ready
        stop
}

# What it writes goes straight into its file: it never misses us.
case_a_line_and_the_death_of_who_reads_it() {
        local pid
        programs sh
        cat >"$T/talks.sh" <<'END'
until [ -e "$1" ]; do sleep 0.05; done
printf 'now it is '
head -c 100000 /dev/zero
echo
echo 'ready to serve'
while echo 'one more line'; do sleep 0.05; done
END
        configure "a: { ready: { line = \"^ready to [a-z]+\$\"; };
                output: { to = \"file\"; file = \"$T/a.log\"; };
                command = $(list "$BIN/sh" "$T/talks.sh" "$T/go"); };"
        start
        wait_for 10 has_count sh 1
        holds $SHORT not_told READY=1
        touch "$T/go"
        ready
        pid=$(main_of a)
        kill -KILL "$SUP"
        wait "$SUP"
        SUP=
        : >"$T/a.log"
        wait_for 10 grep -q 'one more line' "$T/a.log"
        expect kill -0 "$pid"
}

# Lines without an end, NULs and full speed before the one that counts.
case_a_line_in_a_flood() {
        programs sh sleep
        cat >"$T/floods.sh" <<'END'
head -c 30000000 /dev/zero
yes 'not yet' | head -c 10000000
echo
echo "up"
exec "$1" infinity
END
        configure "a: { ready: { line = \"^up\$\"; };
                output: { to = \"file\"; file = \"$T/a.log\"; };
                command = $(list "$BIN/sh" "$T/floods.sh" "$BIN/sleep"); };"
        start_ready
        expect logged 'a: ready after'
        is_sanitized || expect [ "$(memory_of "$SUP")" -lt 40000 ]
        stop
}

case_a_sick_one_is_restarted() {
        local pid
        programs sleep prober
        touch "$T/well"
        configure "a: { health: { on = \"command\"; command = $(list "$BIN/prober" "$T/well");
                        interval = \"100ms\"; failures = 2; };
                restart: { delay = \"10ms\"; limit = 0; };
                command = $(list "$BIN/sleep" infinity); };
                b: { requires = [ \"a\" ]; command = $(list "$BIN/sleep" infinity); };"
        start_ready
        wait_for 10 is_well a
        pid=$(main_of a)
        rm "$T/well"
        wait_for 10 logged 'a: is sick: .*/prober .* exited with status 1: it is not there'
        wait_for 10 logged 'begins .restart of a, which is sick'
        touch "$T/well"
        wait_for 10 logged 'cleanup ended .restart of a, which is sick'
        wait_for 10 is_well a
        expect_not [ "$(main_of a)" = "$pid" ]
        expect_equal "$(log_count 'b: starting')" 1 "starts of who requires it"
        ctl 0 --json status a
        expect said '"verdict": "well"'
        stop
}

is_well() {
        "$SUPERVISORCTL" -s "$T/run/control" status "$1" >"$T/out" 2>"$T/err" &&
                said '^ +health +well, last looked at'
}

main_of() {
        ctl 0 pid "$1"
        cat "$T/out"
}

# They are killed with all they started, one is gone before the next one comes, and nobody else
# notices anything.
case_ill_bred_probes() {
        local kind daemons="" timeout
        programs sleep prober
        for kind in hang flood fork hold; do
                case $kind in
                hang | flood) timeout=200ms ;;
                *) timeout=20s ;; # they do come to an end
                esac
                daemons+="$kind: { restart: { policy = \"never\"; };
                        health: { on = \"command\"; failures = 3; interval = \"400ms\";
                        timeout = \"$timeout\"; command = $(list "$BIN/prober" "$T/no" $kind); };
                        command = $(list "$BIN/sleep" infinity); };"
        done
        configure "$daemons"
        start_ready
        for kind in hang flood fork hold; do
                wait_for 30 logged "$kind: is sick: "
        done
        expect logged 'hang: is sick: .* did not end within 200ms and was killed'
        expect logged 'fork: is sick: .* exited with status 1'
        holds $SHORT few_probers
        ctl 0 status
        expect has_count sleep 4
        stop
}

# One of each, and those that one of them left.
few_probers() {
        [ "$(count_of prober)" -le 8 ]
}

case_watchdog() {
        local pid sick before
        programs notifier
        touch "$T/fed"
        configure "a: { type = \"notify\"; health: { on = \"notify\"; timeout = \"2s\"; };
                command = $(list "$BIN/notifier" -W "$T/fed"); };"
        start_ready
        wait_for 10 is_well a
        pid=$(main_of a)
        rm "$T/fed"
        sick='a: is sick: it did not say WATCHDOG=1 within 2s'
        before=$(log_count "$sick")
        wait_for 10 eval "[ \$(log_count '$sick') -gt $before ]"
        touch "$T/fed"
        wait_for 10 is_well a
        expect_not [ "$(main_of a)" = "$pid" ]
        stop
}

case_bad_settings() {
        programs sleep
        configure "a: { ready: { line = \"(up\"; }; command = $(list "$BIN/sleep" 1); };
                b: { health: { on = \"tcp\"; address = \"localhost:80\"; };
                        command = $(list "$BIN/sleep" 1); };"
        start
        ended
        expect_not [ "$RC" = 0 ]
        expect logged "$T/supervisord.conf:[0-9]+: a.ready.line: .*Unmatched \("
        expect logged "$T/supervisord.conf:[0-9]+: b.health.address: .*no numeric address"
}

run_cases "$@"
