#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What supervisord does with its own signals, and what its daemons find around them at their start.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# in_mask MASK SIGNAL: MASK as /proc/PID/status has it.
in_mask() {
        ((16#$1 >> ($(kill -l "$2") - 1) & 1))
}

mask_of() {
        sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# What surroundings wrote of this.
found() {
        sed -n "s/^$1 //p" "$T/found"
}

start_surroundings() {
        programs surroundings
        configure "probe: { command = $(list "$BIN/surroundings" "$T/found"); $1 };"
        start
        wait_for 10 grep -qs '^end$' "$T/found"
}

case_signals_of_supervisord() {
        programs sleep
        configure "a: { command = $(list "$BIN/sleep" infinity); };"
        start_ready

        local signal blocked ignored
        blocked=$(mask_of "$SUP" SigBlk)
        ignored=$(mask_of "$SUP" SigIgn)
        for signal in TERM INT QUIT HUP USR1 CHLD; do
                in_mask "$blocked" $signal || fail "SIG$signal is not blocked: $blocked"
        done
        for signal in ABRT SEGV BUS FPE ILL SYS TRAP; do
                ! in_mask "$blocked" $signal || fail "SIG$signal is blocked: $blocked"
                ! in_mask "$ignored" $signal || fail "SIG$signal is ignored: $ignored"
        done
        in_mask "$ignored" PIPE || in_mask "$blocked" PIPE || fail "SIGPIPE would end it"
        stop
}

case_daemon_in_a_hostile_start() {
        local target
        # A starter that ignores and blocks signals, leaks descriptors and its own variables.
        START_BY=(env --ignore-signal=HUP --ignore-signal=USR1 --ignore-signal=PIPE
                --ignore-signal=ALRM --block-signal=TERM --block-signal=USR2 --block-signal=CHLD
                --block-signal=WINCH WATCHDOG_USEC=30000000 WATCHDOG_PID=1 LISTEN_FDS=1
                LISTEN_PID=1 INVOCATION_ID=0123456789abcdef JOURNAL_STREAM=1:2)
        exec 7>"$T/leaked" 33</dev/null
        start_surroundings 'environment = [ "MINE=yes", "WITH_SPACE=a b" ];'

        expect_equal "$(found SigBlk)" 0000000000000000 "the blocked signals"
        expect_equal "$(found SigIgn)" 0000000000000000 "the ignored signals"
        expect_equal "$(found SigPnd)" 0000000000000000 "the pending signals"
        is_sanitized || expect_equal "$(found SigCgt)" 0000000000000000 "the caught signals"
        expect_equal "$(found fd | cut -d' ' -f1 | xargs)" "0 1 2" "the open descriptors"
        target=$(found 'fd 0')
        expect_equal "$target" /dev/null "the standard input"
        if found env | grep -E '^(NOTIFY_|WATCHDOG_|LISTEN_|INVOCATION_ID|JOURNAL_STREAM)'; then
                fail "variables that are not for it"
        fi
        found env | grep -qx MINE=yes || fail "MINE is missing"
        found env | grep -qx 'WITH_SPACE=a b' || fail "WITH_SPACE is missing"
        found env | grep -qx SUPERVISOR_DAEMON=probe || fail "SUPERVISOR_DAEMON is missing"
        expect_equal "$(found session)" "$(found pid)" "its session"
        expect_equal "$(found ppid)" "$SUP" "its parent"
        expect_equal "$(found directory)" / "its directory"
        expect_equal "$(found umask)" 0022 "its umask"
        stop
}

case_notify_daemon_sees_its_own_socket_only() {
        local socket
        start_surroundings 'type = "notify";'
        socket=$(found env | sed -n 's/^NOTIFY_SOCKET=//p')
        case $socket in
        "$T/run/"*) ;;
        *) fail "its NOTIFY_SOCKET is '$socket'" ;;
        esac
        expect [ -S "$socket" ]
        if found env | grep '^WATCHDOG_'; then
                fail "somebody else's watchdog"
        fi
        expect_not told READY=1
        stop
        expect is_gone "$socket"
}

case_settings() {
        needs_root
        mkdir "$T/work"
        touch "$T/found"
        rm "$T/found"
        chmod 777 "$T"
        start_surroundings "user = \"nobody\"; groups = [ \"daemon\" ]; directory = \"$T/work\";
                umask = \"0027\"; nice = 5; oom_score_adjust = 100; no_new_privileges = true;
                limits: { nofile = \"256:512\"; core = \"0\"; };"
        expect_equal "$(found uid)" "$(id -u nobody) $(id -u nobody)" "its user"
        expect_equal "$(found gid)" "$(id -g nobody) $(id -g nobody)" "its group"
        expect_equal "$(found groups | xargs -n 1 | grep -vx "$(id -g nobody)" | xargs)" \
                "$(getent group daemon | cut -d: -f3)" "its further groups"
        expect_equal "$(found directory)" "$T/work" "its directory"
        expect_equal "$(found umask)" 0027 "its umask"
        expect_equal "$(found nice)" 5 "its nice value"
        expect_equal "$(found oom_score_adjust)" 100 "its OOM score"
        expect_equal "$(found NoNewPrivs)" 1 "no new privileges"
        expect_equal "$(found limit_nofile)" "256 512" "its limit of open files"
        expect_equal "$(found limit_core)" "0 0" "its limit of core dumps"
        expect_equal "$(found CapEff)" 0000000000000000 "its capabilities"
        found env | grep -qx HOME="$(getent passwd nobody | cut -d: -f6)" || fail "HOME is wrong"
        stop
}

case_limits_of_supervisord_are_not_passed_on() {
        START_BY=(bash -c 'ulimit -S -n 300; exec "$@"' bash)
        start_surroundings ''
        expect_equal "$(found limit_nofile | cut -d' ' -f1)" 300 "its limit of open files"
        stop
}

case_output_into_a_file() {
        configure "talker: {
                command = $(list /bin/sh -c "echo to stdout; echo to stderr >&2; exec sleep 1000");
                output: { to = \"file\"; file = \"$T/output\"; };
        };"
        echo before >"$T/output"
        start_ready
        wait_for 10 grep -q stderr "$T/output"
        expect_equal "$(xargs <"$T/output")" "before to stdout to stderr" "the file"
        stop
}

# Without journald the lines must not be lost.
case_output_without_a_journal() {
        [ ! -S /run/systemd/journal/stdout ] || skip "there is a journal"
        configure "talker: {
                command = $(list /bin/sh -c "echo said by talker; exec sleep 1000");
        };"
        start_ready
        wait_for 10 logged 'said by talker'
        stop
}

run_cases "$@"
