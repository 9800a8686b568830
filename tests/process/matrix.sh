#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One setting changed at a time, on a running daemon, and back: what the plan says is what happens,
# and the new value is in force. Beside it a server keeps its process, its uptime and a connection.
# tests/sim/test_sim_matrix.c does this for every setting of the schema.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# The settings of d, beside its command, and those of the supervisor.
settings() {
        configure "d: { type = \"notify\"; command = [ \"$BIN/notifier\" ]; $1 };
                server: { command = [ \"$BIN/naive\", \"-p\", \"$PORT\" ];
                        ready: { on = \"listen\"; }; };" "${2-}"
}

pid_of() {
        "$SUPERVISORCTL" -s "$T/run/control" pid "$1"
}

# begin SETTINGS
begin() {
        programs notifier naive
        PORT=$(free_port)
        settings "$1"
        start_ready
        SERVER=$(pid_of server)
        exec {CONNECTION}<>"/dev/tcp/127.0.0.1/$PORT"
}

# change ACTION SETTINGS: the plan says so, and so it comes.
change() {
        local action=$1 before starts
        before=$(pid_of d)
        starts=$(log_count 'd: starting, process')
        settings "$2"
        ctl 0 plan
        expect said "^$action  *d: "
        expect said '^keep  *server: '
        ctl 0 reload
        expect said '^applied: '
        D=$(pid_of d)
        case $action in
        apply)
                expect_equal "$D" "$before" "the process"
                expect_equal "$(log_count 'd: starting, process')" "$starts" "the number of starts"
                ;;
        restart)
                expect_not [ "$D" = "$before" ]
                expect is_gone "/proc/$before"
                ;;
        esac
        expect_equal "$(pid_of server)" "$SERVER" "the server"
        ctl 0 reload
        expect said '^nothing-changed'
}

end() {
        local answer
        printf '7\n' >&"$CONNECTION"
        read -r -t 10 answer <&"$CONNECTION" || fail "the connection is broken"
        expect_equal "$answer" taken "the answer"
        expect_equal "$(log_count 'server: starting, process')" 1 "the starts of the server"
        stop
}

field() {
        sed -n "s/^$1:[[:space:]]*//p" "/proc/$D/status"
}

has_variable() {
        tr '\0' '\n' <"/proc/$D/environ" | grep -qx -- "$1"
}

case_surroundings() {
        begin ''
        change restart 'environment = [ "MARK=1" ];'
        expect has_variable MARK=1
        change restart 'environment = [ "MARK=2" ];'
        expect has_variable MARK=2
        change restart 'umask = "0077";'
        expect_equal "$(field Umask)" 0077 "the umask"
        expect_not has_variable MARK=2
        change restart 'nice = 7;'
        expect_equal "$(awk '{ print $19 }' "/proc/$D/stat")" 7 "the nice value"
        expect_equal "$(field Umask)" 0022 "the umask"
        change restart 'directory = "/tmp";'
        expect_equal "$(readlink "/proc/$D/cwd")" /tmp "the directory"
        change restart 'limits: { nofile = "77"; };'
        expect grep -Eq '^Max open files +77 +77 ' "/proc/$D/limits"
        change restart 'no_new_privileges = true;'
        expect_equal "$(field NoNewPrivs)" 1 "NoNewPrivs"
        change restart "output: { to = \"file\"; file = \"$T/output\"; };"
        expect_equal "$(readlink "/proc/$D/fd/1")" "$T/output" "where it writes"
        change restart ''
        expect_equal "$(field NoNewPrivs)" 0 "NoNewPrivs"
        expect_not [ "$(readlink "/proc/$D/fd/1")" = "$T/output" ]
        end
}

case_user() {
        needs_root
        begin 'user = "65534"; group = "65534";'
        expect_equal "$(stat -c %u:%g "/proc/$(pid_of d)")" 65534:65534 "user and group"
        change restart 'user = "65533"; group = "65534";'
        expect_equal "$(stat -c %u:%g "/proc/$D")" 65533:65534 "user and group"
        end
}

all_run() {
        "$SUPERVISORCTL" -s "$T/run/control" status >/dev/null
}

has_started_again() {
        [ "$(log_count 'd: ready after')" = 2 ]
}

# The next death, stop or start goes by what is in force then.
case_what_is_used_when_it_is_needed() {
        begin 'restart: { policy = "never"; };'
        change apply 'restart: { policy = "always"; delay = "50ms"; };'
        kill -KILL "$(pid_of d)"
        wait_for 10 has_started_again

        change apply "cleanup: { command = [ \"/bin/touch\", \"$T/cleaned\" ]; };"
        ctl 0 stop d
        expect exists "$T/cleaned"
        rm "$T/cleaned"
        ctl 0 start d
        touch "$T/file"
        change apply "cleanup: { remove = [ \"$T/file\" ]; };"
        expect exists "$T/file"
        ctl 0 restart d
        expect is_gone "$T/file"
        expect is_gone "$T/cleaned"

        change apply 'stop: { signals = "QUIT 5s, KILL"; };'
        ctl 0 stop d
        ctl 0 start d
        change apply 'restart: { policy = "never"; };
                ready: { on = "file"; path = "/no/such/file"; timeout = "1s"; };'
        ctl 1 restart d
        expect said_error 'd: .*not ready within'
        settings ''
        ctl 0 reload
        wait_for 10 all_run
        end
}

# What concerns its neighbours.
case_who_needs_whom() {
        begin ''
        change apply 'requires = [ "server" ];'
        ctl 0 stop server
        ctl 3 status
        expect said '^d  *stopped'
        ctl 0 start d
        SERVER=$(pid_of server)
        exec {CONNECTION}<>"/dev/tcp/127.0.0.1/$PORT"
        change apply 'after = [ "server" ];'
        ctl 0 stop d
        expect_equal "$(pid_of server)" "$SERVER" "the server"
        ctl 0 start d
        stop
}

# Of the supervisor: live, or refused as a whole.
case_settings_of_the_supervisor() {
        local setting cgroups=false
        uses_cgroups || cgroups=true
        begin ''
        for setting in 'freeze_timeout = "6s";' 'drain_timeout = "21s";' 'log_priority = "debug";' \
                'reader_group = "0";'; do
                settings '' "$setting"
                ctl 0 reload
                expect said '^applied: .*2 kept'
        done
        expect logged 'debug'
        for setting in "control = \"$T/else\";" ''; do
                settings 'nice = 3;' "$setting"
                [ -n "$setting" ] ||
                        sed -i "s/cgroups = [a-z]*/cgroups = $cgroups/" "$T/supervisord.conf"
                ctl 1 reload
                setting=${setting%% *}
                expect said_error "supervisor.${setting:-cgroups} cannot be changed by a reload"
                expect_equal "$(pid_of server)" "$SERVER" "the server"
        done
        expect_equal "$(log_count 'd: starting, process')" 1 "the number of starts"
        end
}

run_cases "$@"
