#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The cases that run inside a container, as root of it: supervisord is installed and is a service of
# the systemd that runs there. Each case writes a configuration, starts the unit, and looks at what
# systemctl and journalctl show to people. No case waits for a time to pass but where time is the
# matter; the bounds are generous.

# shellcheck source=tests/integration/lib.bash
. "$(dirname "$0")/lib.bash"

case_units_are_valid() {
        local output
        output=$(systemd-analyze verify --man=no $UNIT supervisord@x.service 2>&1) ||
                fail "systemd-analyze verify: $output"
        # 252 does not know DelegateSubgroup= and says so; nothing else is to be said.
        output=$(grep supervisord <<<"$output" | grep -v DelegateSubgroup)
        [ -z "$output" ] || fail "systemd-analyze verify: $output"
        expect exists /usr/share/man/man8/supervisord.8
        expect exists /usr/share/man/man5/supervisord.conf.5
}

case_start_stop_leaves_nothing() {
        configure "$(sleeper a)
                b: { type = \"forking\"; pidfile = \"$T/pid\";
                        command = $(list "$DAEMONS/forker" -f "$T/pid"); };
                c: { type = \"notify\"; command = $(list "$DAEMONS/notifier"); };"
        start
        expect_equal "$(show ActiveState)/$(show SubState)" active/running "the state"
        expect exists "$T/pid"
        stop
        expect is_gone "$T/pid"
}

case_active_only_when_ready() {
        configure "$(sleeper a)
                slow: { ready: { on = \"listen\"; };
                        command = $(list "$DAEMONS/naive" -a "$T/go"); };"
        systemctl start --no-block $UNIT
        wait_for 20 has_processes slow 1
        holds 1 is_state activating
        wait_for 10 status_is "starting: 1 of 2 ready, 1 starting (slow)"
        touch "$T/go"
        wait_for 20 is_state active
        stop
}

case_status_shows_the_trees() {
        configure "$(sleeper a)
                forks: { command = $(list "$DAEMONS/deaf" 2); stop: { signals = \"KILL\"; }; };"
        start
        wait_for 10 has_processes forks 3
        systemctl status $UNIT >"$T/status"
        grep -Eq 'Status: "running: 2 of 2' "$T/status" || fail "status: $(cat "$T/status")"
        expect_equal "$(grep -Ec '[├└]─(a|forks)\.daemon$' "$T/status")" 2 "the number of trees"
        expect_equal "$(grep -c "$DAEMONS/deaf 2" "$T/status")" 3 "the number of deaf ones"
        stop
}

case_daemons_in_their_cgroups() {
        configure "$(sleeper a) $(sleeper b)"
        start
        expect_equal "$(sed -n 's/^0:://p' "/proc/$(main_pid)/cgroup")" "$GROUP/supervisor" \
                "the supervisor's cgroup"
        expect has_processes a 1
        expect has_processes b 1
        stop
}

case_surroundings() {
        configure "probe: { command = $(list "$DAEMONS/surroundings" "$T/found"); };"
        start
        wait_for 10 grep -qs '^end$' "$T/found"
        expect_equal "$(sed -n 's/^SigBlk //p' "$T/found")" 0000000000000000 "the blocked signals"
        expect_equal "$(sed -n 's/^SigIgn //p' "$T/found")" 0000000000000000 "the ignored signals"
        expect_equal "$(sed -n 's/^fd \([0-9]*\) .*/\1/p' "$T/found" | xargs)" "0 1 2" "descriptors"
        expect_equal "$(sed -n 's/^umask //p' "$T/found")" 0022 "the umask"
        if grep -E '^env (NOTIFY_SOCKET|WATCHDOG_|INVOCATION_ID|JOURNAL_STREAM)' "$T/found"; then
                fail "it sees what is meant for the supervisor"
        fi
        stop
}

case_journal_tells_the_story() {
        local name
        configure "$(graceful_server web 0)
                talker: { command = $(list /bin/sh -c "echo talker speaks; exec sleep 1000"); };"
        start
        wait_for 20 journaled '^talker speaks'
        stop
        for name in DAEMON_STARTING DAEMON_READY DAEMON_STOPPED; do
                expect_equal "$(messages $name SUPERVISOR_DAEMON=web | wc -l)" 1 "$name of web"
        done
        for name in SUPERVISOR_STARTED SUPERVISOR_READY SUPERVISOR_STOPPING SUPERVISOR_STOPPED; do
                expect_equal "$(messages $name _SYSTEMD_UNIT=$UNIT | wc -l)" 1 "$name"
        done
        for name in freeze drain cleanup; do
                expect says "$name begins" PHASE_BEGUN SUPERVISOR_PHASE=$name
                expect says "$name ended" PHASE_ENDED SUPERVISOR_PHASE=$name
        done
        # Also who reads without the fields is to see whom a line is about.
        expect_not lines_without_the_name web
        lines -o json SUPERVISOR_DAEMON=web >"$T/json"
        grep -q '"SYSLOG_IDENTIFIER":"supervisord"' "$T/json" || fail "the identifier is wrong"
        grep -q '"PRIORITY":"6"' "$T/json" || fail "the priority is missing"
        expect_equal "$(lines -o cat -t talker)" "talker speaks" "what talker said"
        expect_equal "$(lines -o cat -t talker _SYSTEMD_UNIT=$UNIT)" "talker speaks" "by unit"
}

lines_without_the_name() {
        lines -o cat SUPERVISOR_DAEMON="$1" | grep -v "^$1: "
}

# A writer that is gone when journald looks loses its unit, unless the stream names it.
case_journal_of_short_lived_writers() {
        local i
        # shellcheck disable=SC2016 # for the shell that supervisord runs
        configure "talker: {
                command = $(list /bin/sh -c \
                        'for i in 0 1 2 3 4 5 6 7 8 9; do /bin/echo $i; done; exec sleep 1000');
                output: { priority = \"notice\"; }; };"
        start
        for ((i = 0; i < 200; i++)); do
                [ "$(lines -o cat -t talker | wc -l)" -lt 10 ] || break
                pause
        done
        expect_equal "$(lines -o cat -t talker | wc -l)" 10 "the number of lines"
        expect_equal "$(lines -o cat -t talker -u $UNIT | wc -l)" 10 "the number of lines by unit"
        expect_equal "$(lines -o cat -t talker PRIORITY=5 | wc -l)" 10 "the number of notices"
        stop
}

case_journal_outlives_a_restart_of_journald() {
        configure "talker: { command = $(list /bin/sh -c \
                "while ! [ -e $T/go ]; do sleep 0.05; done; echo after; exec sleep 1000"); };"
        start
        systemctl restart systemd-journald
        touch "$T/go"
        wait_for 20 eval "[ \"\$(lines -o cat -t talker)\" = after ]"
        expect_equal "$(show NRestarts)" 0 "the number of restarts"
        stop
        expect says 'nothing of it is left' DAEMON_STOPPED SUPERVISOR_DAEMON=talker
}

# What daemons write and what is said of them, and nothing of others.
case_tail_shows_daemons() {
        configure "one: { command = $(list /bin/sh -c "echo one speaks; exec sleep 1000"); };
                two: { command = $(list /bin/sh -c "echo two speaks; exec sleep 1000");
                        output: { identifier = \"deux\"; }; };
                other: { command = $(list /bin/sh -c "echo other speaks; exec sleep 1000"); };"
        start
        wait_for 10 journaled '^one speaks'
        wait_for 10 journaled '^two speaks'
        wait_for 10 journaled '^other speaks'
        tail_of 'one' -- -o cat
        expect grep -q '^one speaks$' "$T/tail"
        expect grep -q '^one: ready' "$T/tail"
        expect_not grep -Eq 'two|other' "$T/tail"
        tail_of 'o[mn]e' two -- -n 1000 -o short
        expect grep -Eq ' one\[[0-9]+\]: one speaks$' "$T/tail"
        expect grep -Eq ' deux\[[0-9]+\]: two speaks$' "$T/tail"
        expect grep -Eq ' supervisord\[[0-9]+\]: two: ready' "$T/tail"
        expect_not grep -q other "$T/tail"
        tail_of all -- -n 1
        expect_equal "$(wc -l <"$T/tail")" 1 "the number of lines"
        stop
        tail_of two -- -o cat
        expect grep -q '^two: stopped' "$T/tail"
}

tail_of() {
        journalctl --sync 2>/dev/null
        supervisorctl tail "$@" --since="$SINCE" -q >"$T/tail" 2>&1 || fail "$(cat "$T/tail")"
}

case_catalog_explains() {
        configure "$(sleeper a)"
        start
        lines -x MESSAGE_ID="$(message_id DAEMON_READY)" >"$T/explained"
        grep -q '^░░ Defined-By: supervisord' "$T/explained" || fail "it is not explained"
        ! grep -q '@SUPERVISOR_' "$T/explained" || fail "a field: $(cat "$T/explained")"
        stop
}

case_stop_with_work_in_flight() {
        configure "$(graceful_server web 3000)"
        start
        requests 50
        stop
        all_answered
}

case_stop_longer_than_its_timeout() {
        drop_in TimeoutStopSec=2
        configure "$(graceful_server web 7000)"
        start
        requests 10
        systemctl stop --no-block $UNIT
        wait_for 10 is_state deactivating
        wait_for 10 eval "systemctl status $UNIT | grep -q 'Status: \"drain: '"
        wait_for 30 is_state inactive
        expect_equal "$(show Result)" success "the result of the unit"
        all_answered
        expect_nothing_left
}

case_start_longer_than_its_timeout() {
        drop_in TimeoutStartSec=2
        configure "slow: { type = \"notify\"; command = $(list "$DAEMONS/notifier" -r 5000); };"
        start
        stop
}

case_forced_stop_is_a_clean_stop() {
        configure "$(graceful_server web 60000 'timeout = "500ms";')
                deaf: { command = $(list "$DAEMONS/deaf" 3 "$T/deaf");
                        stop: { signals = \"TERM 300ms, KILL\"; }; };"
        start
        wait_for 10 eval "[ \"\$(cat $T/deaf 2>/dev/null | wc -l)\" = 4 ]"
        requests 5
        stop
        expect says 'drain forced' DAEMON_FORCED SUPERVISOR_DAEMON=web
        expect says 'killing 4 processes' DAEMON_FORCED SUPERVISOR_DAEMON=deaf
        wait_for 10 has_ended "$CLIENT"
}

case_stop_during_a_start() {
        configure "slow: { type = \"notify\"; command = $(list "$DAEMONS/notifier" -n); };
                $(sleeper behind 'requires = [ "slow" ];')"
        systemctl start --no-block $UNIT
        wait_for 20 has_processes slow 1
        stop
        ! journaled 'behind: starting' || fail "a daemon was started after the stop"
}

case_restart() {
        local first
        configure "$(sleeper a)"
        start
        first=$(main_pid)
        timeout 60 systemctl restart $UNIT || fail "the restart fails"
        [ "$(main_pid)" != "$first" ] || fail "nothing was restarted"
        wait_for 10 has_processes a 1
        stop
}

case_killed_daemon() {
        local first
        configure "$(sleeper a) $(sleeper b)"
        start
        first=$(processes_of a)
        kill -KILL "$first"
        wait_for 20 eval "[ -n \"\$(processes_of a)\" ] && [ \"\$(processes_of a)\" != $first ]"
        wait_for 10 says SIGKILL DAEMON_EXITED SUPERVISOR_DAEMON=a
        expect is_state active
        stop
}

case_failed_daemon_is_shown() {
        configure "$(sleeper a)
                bad: { command = $(list /bin/false); restart: { policy = \"never\"; };
                        ready: { on = \"listen\"; }; };"
        start
        systemctl status $UNIT >"$T/status"
        grep -Eq 'Status: ".*1 of 2.*failed.*bad' "$T/status" || fail "status: $(cat "$T/status")"
        stop
}

case_crash_of_supervisord() {
        local first
        configure "$(sleeper a)"
        start
        first=$(processes_of a)
        kill -KILL "$(main_pid)"
        wait_for 30 eval "[ \"\$(show NRestarts)\" = 1 ] && is_state active"
        expect has_ended "$first"
        expect has_processes a 1
        expect_equal "$(sed -n 's/^0:://p' "/proc/$(main_pid)/cgroup")" "$GROUP/supervisor" \
                "the supervisor's cgroup"
        stop
}

case_watchdog() {
        local first
        drop_in WatchdogSec=5
        configure "$(sleeper a)"
        start
        first=$(main_pid)
        # It answers in time on its own.
        holds 7 eval "[ \"\$(main_pid)\" = $first ]"
        kill -STOP "$first"
        wait_for 40 eval "[ \"\$(show NRestarts)\" = 1 ] && is_state active"
        expect has_processes a 1
        stop
}

case_reload_of_a_good_configuration() {
        local before
        configure "$(sleeper a)"
        start
        before="$(main_pid) $(processes_of a)"
        configure "$(sleeper a) $(sleeper b)"
        systemctl reload $UNIT || fail "the reload fails"
        # The answer comes when it is done, not before.
        expect has_processes b 1
        expect_equal "$(main_pid) $(processes_of a)" "$before" "the processes"
        wait_for 10 says applied RELOAD_DONE
        stop
}

case_reload_of_a_bad_configuration() {
        local before
        configure "$(sleeper a)"
        start
        before="$(main_pid) $(processes_of a)"
        echo 'daemons: { a: { comand = [ "/bin/true" ]; }; };' >"$CONF"
        if systemctl reload $UNIT 2>/dev/null; then
                fail "the reload succeeds"
        fi
        expect_equal "$(main_pid) $(processes_of a)" "$before" "the processes"
        expect is_state active
        journaled "$CONF:1: .*comand" || fail "the journal does not say why"

        # By hand it must not harm either, and is to be seen.
        kill -HUP "$(main_pid)"
        wait_for 10 refused_reloads_are 2
        wait_for 10 is_state active
        systemctl status $UNIT | grep -q 'Status: .*refused' || fail "status: $(show StatusText)"
        expect_equal "$(main_pid) $(processes_of a)" "$before" "the processes"
        stop
}

refused_reloads_are() {
        [ "$(messages RELOAD_REFUSED | grep -c refused)" = "$1" ]
}

case_bad_configuration_at_a_start() {
        printf 'daemons: {\n  a: { comand = [ "/bin/true" ]; };\n};\n' >"$CONF"
        if timeout 60 systemctl start $UNIT 2>/dev/null; then
                fail "the start succeeds"
        fi
        expect is_state failed
        expect_equal "$(show ExecMainStatus)" 78 "the exit status"
        holds 3 is_state failed
        expect_equal "$(show NRestarts)" 0 "the number of restarts"
        journaled "$CONF:2: .*comand" || fail "the journal does not say why"
        expect says comand CONFIG_INVALID
        expect_nothing_left
}

case_what_was_stopped_stays_stopped() {
        configure "$(sleeper a) $(sleeper b 'requires = [ "c" ];') $(sleeper c)"
        start
        expect_equal "$(stat -c '%a %U' /var/lib/supervisord)" '755 root' "the state directory"
        supervisorctl stop c || fail "c is not stopped"
        timeout 60 systemctl restart $UNIT || fail "the restart fails"
        expect_equal "$(show StatusText)" "running: 1 of 3 daemons, 2 stopped" "after a restart"
        expect says 'not started: stopped by an operator' DAEMON_HELD SUPERVISOR_DAEMON=c
        expect says 'not started: c, which' DAEMON_HELD SUPERVISOR_DAEMON=b

        kill -KILL "$(main_pid)"
        wait_for 30 eval "[ \"\$(show NRestarts)\" = 1 ] && is_state active"
        expect_equal "$(show StatusText)" "running: 1 of 3 daemons, 2 stopped" "after a crash"
        supervisorctl start b || fail "b is not started"
        timeout 60 systemctl restart $UNIT || fail "the restart fails"
        expect_equal "$(show StatusText)" "running: 3 of 3 daemons" "after it was started"
        stop
}

case_template_unit_beside_the_first() {
        mkdir -p /etc/supervisord/second
        cat >/etc/supervisord/second/supervisord.conf <<CONF
supervisor: {
        runtime_directory = "/run/supervisord-second";
        state_directory = "/var/lib/supervisord-second";
};
daemons: { other: { command = [ "/usr/bin/sleep", "infinity" ]; }; };
CONF
        configure "$(sleeper a)"
        start
        timeout 60 systemctl start supervisord@second || fail "the second one does not start"
        expect_equal "$(show StatusText supervisord@second)" "running: 1 of 1 daemon" "its status"
        expect exists /var/lib/supervisord-second
        expect_not says . STATE_LOST
        timeout 60 systemctl stop $UNIT || fail "the first one does not stop"
        expect_equal "$(show ActiveState supervisord@second)" active "the second one"
        timeout 60 systemctl reload supervisord@second || fail "the second one is not reloaded"
        timeout 60 systemctl stop supervisord@second || fail "the second one does not stop"
        expect_equal "$(show Result supervisord@second)" success "its result"
        expect is_gone /run/supervisord-second
        expect_nothing_left
        rm -r /etc/supervisord/second
}

# Real daemons: nginx with downloads in flight, redis with a script at work.
case_nginx_and_redis() {
        local redis
        mkdir -p "$T/www"
        chmod 755 "$T" "$T/www"
        head -c 3000000 /dev/zero >"$T/www/file"
        cat >"$T/nginx.conf" <<CONF
pid $T/nginx.pid;
error_log stderr;
events { }
http {
        access_log off;
        server { listen 127.0.0.1:8080; root $T/www; location / { limit_rate 1000k; } }
}
CONF
        configure "web: { type = \"forking\"; pidfile = \"$T/nginx.pid\"; requires = [ \"store\" ];
                        command = $(list /usr/sbin/nginx -c "$T/nginx.conf");
                        ready: { on = \"listen\"; port = 8080; };
                        freeze: { signal = \"QUIT\"; }; drain: { until = \"exit\"; }; };
                store: { type = \"notify\"; ready: { on = \"tcp\"; address = \"127.0.0.1:6379\"; };
                        directory = \"/var/lib/redis\"; user = \"redis\";
                        command = $(list /usr/bin/redis-server --supervised systemd \
                                --daemonize no --port 6379 --bind 127.0.0.1); };"
        start
        expect_equal "$(redis-cli set key kept)" OK "redis"
        systemctl status $UNIT >"$T/status"
        grep -q 'nginx: worker process' "$T/status" || fail "status: $(cat "$T/status")"

        "$DAEMONS/client" -p 8080 -g /file -n 5 -f "$T/flight" >"$T/requests" &
        CLIENT=$!
        redis-cli eval "redis.log(redis.LOG_WARNING, 'the script runs')
                for i = 1, 100000000 do end return 'whole'" 0 >"$T/script" &
        redis=$!
        wait_for 20 exists "$T/flight"
        wait_for 20 journaled 'the script runs'
        stop
        all_answered
        wait_for 20 has_ended "$redis"
        expect_equal "$(cat "$T/script")" whole "the answer of redis"
        expect is_gone "$T/nginx.pid"

        # What redis was told is on the disk.
        configure "store: { type = \"notify\"; directory = \"/var/lib/redis\"; user = \"redis\";
                command = $(list /usr/bin/redis-server --supervised systemd); };"
        start
        expect_equal "$(redis-cli get key)" kept "what redis kept"
        stop
}

case_two_hundred_daemons() {
        local i daemons='' begun
        for ((i = 0; i < 200; i++)); do
                daemons+="$(sleeper "d$i")"
        done
        configure "$daemons"
        begun=$(now_ms)
        start
        diag "200 daemons started in $(($(now_ms) - begun)) ms"
        expect_equal "$(show StatusText)" "running: 200 of 200 daemons" "the status"
        begun=$(now_ms)
        stop
        diag "and stopped in $(($(now_ms) - begun)) ms"
}

run_cases "$@"
