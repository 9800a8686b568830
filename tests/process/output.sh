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
        local kind daemons=''
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
        is_sanitized || expect [ "$(memory_of "$SUP")" -lt 100000 ]
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
        wait_for 20 grep -qs '^started' "$T/quiet.log"
        ctl 0 restart quiet
        wait_for 20 eval '[ "$(grep -c "^started" "$T/quiet.log")" = 2 ]'
        stop
        exec 9<&-
}

# Straight into journald: one that reads, and one that takes the connection and hangs. It stands in
# a mount namespace of its own, which supervisord enters.
case_journald() {
        local kind daemons='' journald
        needs_root
        programs illbred
        unshare -m true 2>/dev/null || skip "no mount namespace can be made here"
        cat >"$T/journald.py" <<'PYTHON'
import os, socket, sys, threading

def take(connection):
    stream = connection.makefile("rb")
    name = stream.readline().decode().strip()
    while not name.startswith("hung") and stream.read(65536):
        pass
    if name.startswith("hung"):
        threading.Event().wait()

server = socket.socket(socket.AF_UNIX)
os.makedirs("/run/systemd/journal")
server.bind("/run/systemd/journal/stdout")
server.listen(16)
open(sys.argv[1], "w").close()


def accept():
    while True:
        threading.Thread(target=take, args=(server.accept()[0],), daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
PYTHON
        # it ends when nobody holds the other end of its stdin any more
        # shellcheck disable=SC2016 # its own arguments
        exec 8> >(exec unshare -m sh -c 'mount -t tmpfs none /run && exec python3 "$@"' \
                sh "$T/journald.py" "$T/listens")
        journald=$!
        wait_for 20 exists "$T/listens"
        for kind in lines mute nul; do
                daemons+="$kind: { command = $(list "$BIN/illbred" "flood=$kind" flood-size=4096 \
                                "log=$T/$kind.log"); };
                hung_$kind: { command = $(list "$BIN/illbred" "flood=$kind"); };
"
        done
        configure "$daemons"
        START_BY=(nsenter "--mount=/proc/$journald/ns/mnt")
        start_ready
        for kind in lines mute nul; do
                wait_for 60 grep -qs flooded "$T/$kind.log"
        done
        ctl 0 restart hung_lines
        # and not to our own stderr, as without a journald
        expect [ "$(wc -c <"$T/log")" -lt 1000000 ]
        stop
        exec 8>&-
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
