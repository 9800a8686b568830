#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Daemons that talk too much, without newlines, in NUL bytes, as fast as they can: nothing of it
# passes through supervisord, so nothing of it may hold up a start or a stop.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# Once is enough for what does not look at processes.
variants() {
        echo cgroup
}

case_floods() {
        local kind daemons=
        programs illbred
        for kind in lines mute nul; do
                daemons+="file_$kind: { output: { to = \"file\"; file = \"$T/$kind.out\"; };
                        command = $(list "$BIN/illbred" "flood=$kind" flood-size=16384 \
                                "log=$T/$kind.log"); };
                null_$kind: { output: { to = \"null\"; };
                        command = $(list "$BIN/illbred" "flood=$kind"); };
                mixed_$kind: { type = \"forking\"; output: { to = \"inherit\"; };
                        command = $(list "$BIN/illbred" background=honest "flood=$kind" \
                                flood-size=512 print=64 mute=yes); };
"
        done
        configure "$daemons"
        start_ready
        for kind in lines mute nul; do
                wait_for 60 grep -qs flooded "$T/$kind.log"
                expect_equal "$(stat -c %s "$T/$kind.out")" $((16384 * 1024)) "the file"
        done
        ctl 0 status
        expect said '^file_nul  *running'
        expect [ "$(memory_of "$SUP")" -lt 100000 ]
        stop
}

# Who reads our own stderr has stopped: a console that hangs, a container's engine that is busy.
case_nobody_reads() {
        programs illbred
        mkfifo "$T/pipe"
        exec 9<>"$T/pipe"
        START_BY=(bash -c 'exec "$@" 2>"$0"' "$T/pipe")
        configure "loud: { output: { to = \"inherit\"; };
                        command = $(list "$BIN/illbred" flood=lines); };
                quiet: { command = $(list "$BIN/illbred" "log=$T/quiet.log"); };"
        start_ready
        ctl 0 restart quiet
        expect_equal "$(grep -c '^started' "$T/quiet.log")" 2 "the starts of the quiet one"
        stop
        exec 9<&-
}

# One that is to stay in the foreground, and goes into the background.
case_daemonizes_when_told_to_stay() {
        programs illbred
        configure "a: { type = \"simple\"; command = $(list "$BIN/illbred" background=early);
                        restart: { delay = \"10ms\"; limit = 2; }; };
                b: { type = \"notify\"; restart: { policy = \"never\"; };
                        command = $(list "$BIN/illbred" background=early); };"
        start_ready
        wait_for 20 logged 'a: given up'
        expect logged 'a: main process exited with status 0 .*"forking"'
        expect logged 'b: start failed: .*exited with status 0 .*"forking"'
        expect has_count illbred 0
        ctl 3 status a
        expect said forking
        stop
}

run_cases "$@"
