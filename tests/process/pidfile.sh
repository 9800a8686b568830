#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Pidfiles that lie. Each misfortune once for a while, after which the right number comes, and once
# for good. A process that the pidfile names wrongly must never be touched.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# Most of them wait for a time to pass.
LANES=3

# Somebody who has nothing to do with it: a signal would end it.
bystander() {
        sleep 1000 &
        BYSTANDER=$!
}

expect_bystander_unharmed() {
        is_running "$BYSTANDER" || fail "the process that the pidfile named was ended"
        kill -KILL "$BYSTANDER"
}

# forking OPTION…: a forker with this pidfile.
forking() {
        programs forker
        bystander
        configure "a: { type = \"forking\"; pidfile = \"$T/pid\"; restart: { policy = \"never\"; };
                ready: { timeout = \"${PATIENCE:-30s}\"; };
                command = $(list "$BIN/forker" -f "$T/pid" "$@"); };"
}

not_told() {
        ! told "$1"
}

# for_a_while KIND [REGEX]: wrong until the test allows the right number.
for_a_while() {
        forking -k "$1" -a "$T/go" -o "$$"
        start
        wait_for 10 has_count forker 1
        [ -z "${2-}" ] || wait_for 10 logged "a: .*$2"
        holds 1 not_told READY=1
        touch "$T/go"
        ready
        expect_equal "$(content "$T/pid")" "$(processes_of forker)" "the pidfile"
        expect logged "a: .*main process.* $(content "$T/pid")"
        stop
        expect is_gone "$T/pid"
        expect_bystander_unharmed
}

# for_good KIND REGEX: the start fails after its time, with the reason, and leaves nothing.
for_good() {
        PATIENCE=2s forking -k "$1" -o "$BYSTANDER_PID"
        start_ready
        expect logged "a: .*$2"
        expect logged 'a: given up'
        expect has_count forker 0
        stop
        expect_bystander_unharmed
}
BYSTANDER_PID=1

case_late() {
        for_a_while nothing
}

case_empty_first() {
        for_a_while empty
}

case_garbage_first() {
        for_a_while garbage 'pidfile'
}

case_stale_first() {
        for_a_while stale 'pidfile .* names process'
}

case_foreign_first() {
        for_a_while foreign 'pidfile .* names process'
}

case_process_1_first() {
        for_a_while init 'pidfile'
}

case_symbolic_link_first() {
        for_a_while symlink 'pidfile'
}

case_empty_for_13_ms() {
        forking -k empty -l 13
        start_ready
        stop
        expect_bystander_unharmed
}

case_never() {
        for_good nothing 'pidfile'
}

case_empty() {
        for_good empty 'is empty'
}

case_garbage() {
        for_good garbage 'pidfile'
}

case_stale() {
        for_good stale 'names process'
}

case_foreign() {
        sleep 1000 &
        BYSTANDER_PID=$!
        for_good foreign "names process $BYSTANDER_PID"
        is_running "$BYSTANDER_PID" || fail "the process that the pidfile named was ended"
        kill -KILL "$BYSTANDER_PID"
}

case_supervisord_itself() {
        programs sleep
        # No daemon knows our number, so this one asks its parent's.
        cat >"$BIN/daemon" <<'SCRIPT'
#!/bin/sh
sleep 1000 &
echo $PPID >"$1"
SCRIPT
        chmod 755 "$BIN/daemon"
        configure "a: { type = \"forking\"; pidfile = \"$T/pid\"; restart: { policy = \"never\"; };
                ready: { timeout = \"2s\"; }; command = $(list "$BIN/daemon" "$T/pid"); };"
        start_ready
        expect logged 'a: .*pidfile'
        expect logged 'a: given up'
        stop
}

case_process_1() {
        for_good init 'pidfile'
}

case_symbolic_link() {
        for_good symlink 'pidfile'
}

# What an earlier run left must not be believed.
case_old_one_names_somebody_alive() {
        forking -k nothing -a "$T/go"
        echo "$BYSTANDER" >"$T/pid"
        start
        wait_for 10 has_count forker 1
        expect is_gone "$T/pid"
        holds 1 not_told READY=1
        touch "$T/go"
        ready
        stop
        expect_bystander_unharmed
}

case_in_a_directory_that_is_made_later() {
        programs forker
        cat >"$BIN/daemon" <<SCRIPT
#!/bin/sh
mkdir "$T/new"
exec "$BIN/forker" -f "$T/new/pid" -k nothing -l 50
SCRIPT
        chmod 755 "$BIN/daemon"
        configure "a: { type = \"forking\"; pidfile = \"$T/new/pid\";
                command = $(list "$BIN/daemon"); };"
        start_ready
        expect has_count forker 1
        stop
}

# The number of one daemon in the pidfile of another.
case_of_another_daemon() {
        programs forker sleep
        cat >"$BIN/liar" <<SCRIPT
#!/bin/sh
sleep 1000 &
cat "$T/pid.a" >"$T/pid.b"
SCRIPT
        chmod 755 "$BIN/liar"
        configure "a: { type = \"forking\"; pidfile = \"$T/pid.a\";
                        command = $(list "$BIN/forker" -f "$T/pid.a"); };
                b: { type = \"forking\"; pidfile = \"$T/pid.b\"; requires = [ \"a\" ];
                        ready: { timeout = \"2s\"; }; restart: { policy = \"never\"; };
                        command = $(list "$BIN/liar"); };"
        start_ready
        expect logged "b: .*names process $(content "$T/pid.a")"
        expect logged 'b: given up'
        expect has_count forker 1
        stop
}

# The known trap: the daemon runs as a user who may not write its pidfile. The check says so, the
# start says so, and a file that was made for it beforehand stays what it can write.
case_user_may_not_write_it() {
        needs_root
        programs sleep
        mkdir "$T/closed" "$T/hidden" "$T/hidden/open"
        chmod 711 "$T/closed"
        chmod 700 "$T/hidden"
        chmod 777 "$T/hidden/open"
        echo 4711 >"$T/closed/prepared"
        chown nobody "$T/closed/prepared"
        local name files='closed/x hidden/open/x closed/prepared nowhere/x' daemons='' count=0
        for name in $files; do
                count=$((count + 1))
                daemons+="d$count: { type = \"forking\"; pidfile = \"$T/$name\";
                        user = \"nobody\"; restart: { policy = \"never\"; };
                        ready: { timeout = \"4s\"; };
                        command = $(list "$BIN/writer" "$T/$name"); };
"
        done
        # in place, as those do who cannot make a file beside it
        cat >"$BIN/writer" <<SCRIPT
#!/bin/sh
(
        pid=\$(exec sh -c 'echo \$PPID')
        (echo "\$pid" >"\$1") 2>/dev/null
        exec "$BIN/sleep" infinity
) &
SCRIPT
        chmod 755 "$BIN/writer"
        configure "$daemons"
        start_ready
        expect logged "d1.pidfile: warning: .*its user may not write into $T/closed;"
        expect logged "d2.pidfile: warning: .*its user may not enter $T/hidden;"
        expect_not logged 'd3.pidfile:'
        expect logged "d4.pidfile: warning: .*directory $T/nowhere does not exist"
        expect logged "d1: start failed: .*missing: its user may not write into $T/closed"
        expect logged "d2: start failed: .*missing: its user may not enter $T/hidden"
        expect logged "d4: start failed: .*missing: the directory $T/nowhere does not exist"
        expect logged 'd3: ready'
        stop
        expect_equal "$(stat -c '%U %s' "$T/closed/prepared")" "nobody 0" "the prepared one"
}

run_cases "$@"
