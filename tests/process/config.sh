#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Configurations that cannot be used, and the options of the command line.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=tests/process/bad.bash
. "$(dirname "$0")/bad.bash"

# One way is enough: nothing is started.
variants() {
        echo cgroup
}

# run OPTION…: supervisord until it ends by itself.
run() {
        timeout -k 5 30 "$BIN/supervisord" "$@" </dev/null >"$T/out" 2>"$T/err"
        RC=$?
}

# refused REGEX [STATUS]: the configuration is refused, by a start and by --check.
refused() {
        run -c "$T/supervisord.conf"
        expect_equal "$RC" "${2-78}" "exit status"
        says "$1"
        expect is_gone "$T/run"
        run --check -c "$T/supervisord.conf"
        expect_equal "$RC" "${2-78}" "exit status of --check"
        says "$1"
}

# says REGEX: what the last run printed.
says() {
        cat "$T/out" "$T/err" 2>/dev/null | grep -Eaq -- "$1" ||
                fail "it does not say '$1' but: $(cat "$T/out" "$T/err")"
}

CONF='supervisord\.conf'

case_syntax_error() {
        bad_syntax_error
        refused "$CONF:3: .*syntax"
}

case_not_closed() {
        bad_not_closed
        refused "$CONF:[0-9]+: "
}

case_empty() {
        bad_empty
        refused "$CONF"
}

case_no_daemons() {
        bad_no_daemons
        refused "$CONF:.*no daemons"
}

case_missing() {
        bad_missing
        refused "$CONF"
}

case_a_file_in_conf_d() {
        bad_file_in_conf_d
        refused 'conf.d/b.conf:1: .*command'
}

case_an_include_of_itself() {
        bad_include_of_itself
        refused "$CONF:1: .*include"
}

case_a_directory() {
        bad_directory
        refused "$CONF"
}

case_a_fifo() {
        bad_fifo
        refused "$CONF"
}

case_huge() {
        bad_huge
        refused "$CONF.*(large|MiB|bytes|big)"
}

case_endless() {
        bad_endless
        refused "$CONF"
}

case_binary() {
        bad_binary
        refused "$CONF"
}

case_nul_bytes() {
        bad_nul_bytes
        refused "$CONF"
}

case_deeply_nested() {
        bad_deeply_nested
        refused "$CONF"
}

case_unreadable() {
        needs_root
        command -v setpriv >/dev/null || skip "setpriv is missing"
        configure ''
        chmod 600 "$T/supervisord.conf"
        setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/supervisord" --check \
                -c "$T/supervisord.conf" >"$T/err" 2>&1
        expect_equal "$?" 78 "exit status"
        says "$CONF.*(denied|not readable|permission)"
}

case_world_writable() {
        needs_root
        bad_world_writable
        refused "$CONF.*writ"
}

case_owned_by_somebody_else() {
        needs_root
        bad_owned_by_somebody_else
        refused "$CONF.*own"
}

case_unknown_setting() {
        bad_unknown_setting
        refused "$CONF:3: .*drian.*drain"
}

case_all_findings_at_once() {
        bad_many_findings
        refused "$CONF:2: .*freeze_timeout"
        local line
        for line in 2 5 6 7; do
                says "$CONF:$line: "
        done
        says "$CONF:7: .*stop.signals.*TREM"
}

case_cycle_is_printed() {
        bad_cycle
        refused 'a.*b.*c.*a'
}

case_requires_an_unknown_one() {
        bad_unknown_requirement
        refused "$CONF:[0-9]+: web.requires: .*wbe.*web|$CONF:[0-9]+: web.requires: .*wbe"
}

case_doubled_daemon() {
        bad_doubled_daemon
        refused 'again.conf:2: .*supervisord.conf:[0-9]+|supervisord.conf:[0-9]+.*again.conf:2'
}

case_conf_d_in_order() {
        mkdir "$T/conf.d"
        configure 'a: { command = [ "/bin/true" ]; };'
        echo 'daemons: { z: { command = [ "/bin/true" ]; }; };' >"$T/conf.d/20.conf"
        echo 'daemons: { y: { command = [ "/bin/true" ]; }; };' >"$T/conf.d/10.conf"
        echo 'nonsense' >"$T/conf.d/ignored.txt"
        run --dump -c "$T/supervisord.conf"
        expect_equal "$RC" 0 "exit status"
        expect_equal "$(grep -Eo '^[[:space:]]+[ayz]:' "$T/out" | tr -dc 'ayz')" ayz "the order"
}

case_unknown_user() {
        bad_unknown_user
        refused "$CONF:[0-9]+: a.user: .*nobodyx"
}

case_unknown_group() {
        bad_unknown_group
        refused "$CONF:[0-9]+: a.group: .*nogroupx"
}

case_command_is_missing() {
        bad_command_is_missing
        refused "$CONF:[0-9]+: a.command: .*/no/such/program"
}

case_command_is_not_executable() {
        bad_command_is_not_executable
        refused "$CONF:[0-9]+: a.command: .*execut"
}

case_command_is_a_directory() {
        bad_command_is_a_directory
        refused "$CONF:[0-9]+: a.command: "
}

case_no_command() {
        bad_no_command
        refused "$CONF:[0-9]+: a.*command"
}

case_check_of_a_good_one() {
        configure 'a: { command = [ "/bin/true" ]; };'
        run --check -c "$T/supervisord.conf"
        expect_equal "$RC" 0 "exit status"
        expect is_gone "$T/run"
}

# What --dump prints is a configuration with the same dump.
case_dump_can_be_read_back() {
        configure 'a: { command = [ "/bin/sh", "-c", "echo \"a\\\\b\"; echo ä" ];
                        environment = [ "A=b c", "Q=\"" ];
                        limits: { nofile = "256:512"; core = "0"; };
                        stop: { signals = "QUIT 20s, TERM 5s, KILL"; };
                        freeze: { signal = "USR1"; };
                        umask = "0077"; drain: { timeout = "1min 30s"; }; };
                b: { command = [ "/bin/true" ]; requires = [ "a" ]; };'
        run --dump -c "$T/supervisord.conf"
        expect_equal "$RC" 0 "exit status"
        cp "$T/out" "$T/dump.conf"
        grep -q 'supervisord.conf:[0-9]' "$T/out" || fail "it does not say where values come from"
        grep -q 'QUIT 20s, TERM 5s, KILL' "$T/out" || fail "the schedule is missing"
        run --check -c "$T/dump.conf"
        expect_equal "$RC" 0 "exit status of --check on it"
        run --dump -c "$T/dump.conf"
        expect_equal "$RC" 0 "exit status of --dump on it"
        # Without the comments that say where a value came from.
        diff <(sed 's/#.*//; s/[[:space:]]*$//' "$T/dump.conf") \
                <(sed 's/#.*//; s/[[:space:]]*$//' "$T/out") || fail "the second dump differs"
}

case_help_and_version() {
        run --help
        expect_equal "$RC" 0 "exit status"
        local word
        for word in --check --dump --version SIGTERM SIGQUIT SIGHUP SIGUSR1; do
                grep -q -- "$word" "$T/out" || fail "--help does not mention $word"
        done
        run --version
        expect_equal "$RC" 0 "exit status"
        says '^supervisord [0-9]+\.'
}

case_wrong_options() {
        local option
        for option in --no-such-option -x 'superfluous'; do
                run "$option"
                [ "$RC" != 0 ] || fail "$option is taken"
                [ -s "$T/err" ] || fail "$option is refused without a word"
        done
        run -c
        [ "$RC" != 0 ] || fail "-c is taken without a file"
}

case_terminal_escapes_are_shown_harmlessly() {
        bad_terminal_escapes
        refused "$CONF:1: "
        if grep -q "$(printf '\033')" "$T/err"; then
                fail "an escape character went to the terminal"
        fi
}

run_cases "$@"
