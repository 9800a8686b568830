#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The main job of supervisord, on real daemons and without systemd: nginx, redis and a daemon that
# forks twice and knows only signals are started, put under traffic, and stopped in the midst of
# it. No request that was taken in may be lost, and nothing may be left behind.
#
# Everything lives in one temporary directory and on free ports of the loopback interface.

set -euo pipefail
export LC_ALL=C

usage() {
        cat <<TXT
Usage: demo/demo.sh BUILD_DIR [--keep]

Runs the demonstration with the programs of BUILD_DIR; it takes less than 10 s. Exits with 0 if no
request was lost and nothing is left. With --keep everything goes on running, to be played with,
until Ctrl-C.
TXT
}

case "$#:${2-}" in
1: | 2:--keep) ;;
*)
        usage >&2
        exit 2
        ;;
esac

build=$(cd "$1" && pwd)
keep=${2-}
PATH=$PATH:/usr/sbin:/sbin

supervisord=$build/supervisord/supervisord
client=$build/demo/client
legacyd=$build/demo/legacyd

directory=       # of everything
log=             # supervisord's standard error
log_shown=0      # so many lines of it were shown
report=          # the client's standard output
supervisor_pid=
client_pid=
processes=()     # PID:START-TIME of everything below supervisord
cgroups=()       # where they were
own_cgroup=$(sed -n 's/^0:://p' /proc/self/cgroup)
failures=0
interrupted=

# Words for people

bold='' dim='' red='' green='' plain=''
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR-}" ]; then
        bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

headline() {
        printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

die() {
        printf '%sdemo: %s%s\n' "$red" "$1" "$plain" >&2
        exit 1
}

# The new lines of supervisord, without the date.
show_log() {
        local line
        while IFS= read -r line; do
                log_shown=$((log_shown + 1))
                printf '  %s| %s%s\n' "$dim" "${line#????-??-?? }" "$plain"
        done < <(tail -n "+$((log_shown + 1))" "$log")
}

# check TEXT COMMAND...: a line of the verdict.
check() {
        local text=$1
        shift
        if "$@"; then
                printf '  %sok%s      %s\n' "$green" "$plain" "$text"
        else
                printf '  %sFAILED  %s%s\n' "$red" "$text" "$plain"
                failures=$((failures + 1))
        fi
}

# Waiting

supervisor_runs() {
        [ -n "$supervisor_pid" ] && process_stat "$supervisor_pid" && [ "${stat[0]}" != Z ]
}

# wait_for SECONDS COMMAND...: until it succeeds, supervisord ends, or the time is over.
wait_for() {
        local end=$((SECONDS + $1))
        shift
        until "$@"; do
                show_log
                supervisor_runs && [ $SECONDS -lt $end ] || return 1
                sleep 0.1
        done
        show_log
}

log_has() {
        grep -q -e "$1" "$log"
}

pass_time() {
        local end=$((SECONDS + $1))
        while [ $SECONDS -lt $end ]; do
                show_log
                sleep 0.2
        done
}

# Processes

# process_stat PID: fills `stat` with the fields of /proc/PID/stat behind the name; fails if it is
# gone. 0 is the state, 1 the parent, 19 the start time.
process_stat() {
        local text
        { read -r text <"/proc/$1/stat"; } 2>/dev/null || return 1
        read -ra stat <<<"${text##*) }"
}

# Everything that descends from supervisord: it takes in all orphans, so nobody is missed.
remember_processes() {
        local -A family=([$supervisor_pid]=1)
        local path pid grown=1
        while [ $grown = 1 ]; do
                grown=0
                for path in /proc/[0-9]*; do
                        pid=${path#/proc/}
                        [ -z "${family[$pid]-}" ] || continue
                        process_stat "$pid" || continue
                        [ -n "${family[${stat[1]}]-}" ] || continue
                        family[$pid]=1
                        grown=1
                        processes+=("$pid:${stat[19]}")
                        remember_cgroup "$pid"
                done
        done
}

remember_cgroup() {
        local path
        path=$(sed -n 's/^0:://p' "/proc/$1/cgroup" 2>/dev/null || true)
        [ -z "$path" ] || [ "$path" = "$own_cgroup" ] || cgroups+=("$path")
}

no_process_left() {
        local entry
        [ ${#processes[@]} -ge 3 ] || return 1
        for entry in "${processes[@]}"; do
                ! process_stat "${entry%:*}" || [ "${stat[19]}" != "${entry#*:}" ] || return 1
        done
}

no_file_left() {
        [ -z "$(find "$directory" -name '*.pid' -o -type s)" ] && [ ! -e "$directory/run" ]
}

no_cgroup_left() {
        local mount path
        mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
        for path in "${cgroups[@]}"; do
                [ ! -e "$mount$path" ] || return 1
        done
}

no_port_left() {
        local port
        for port in "$nginx_port" "$redis_port" "$legacyd_port"; do
                ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 1
        done
}

# The client

# Asks it for a report and waits for that; one that has ended has left its last.
client_report() {
        local before
        before=$(grep -c '^end' "$report" || true)
        kill -USR1 "$client_pid" 2>/dev/null || return 0
        until [ "$(grep -c '^end' "$report" || true)" -gt "$before" ]; do
                kill -0 "$client_pid" 2>/dev/null || return 0
                sleep 0.02
        done
}

# A client that was held up finds all answers at once, and asks anew a moment later.
full_traffic() {
        client_report
        in_flight_nginx=$(in_flight nginx)
        in_flight_legacyd=$(in_flight legacyd)
        [ $((in_flight_nginx * in_flight_legacyd)) -gt 0 ]
}

# counts FIELD: the sum of a column of the last report (2 sent, 3 answered, 4 turned away, 5 lost).
counts() {
        tail -n 4 "$report" | awk -v field="$1" 'NF > 1 { sum += $field } END { print sum + 0 }'
}

# in_flight SERVER: in the last report.
in_flight() {
        tail -n 4 "$report" | awk -v name="$1" '$1 == name { print $6 }'
}

show_report() {
        printf '  %-8s %8s %9s %12s %10s %6s   %s\n' \
                server sent answered 'turned away' 'in flight' lost slowest
        tail -n 4 "$report" | awk -v red="$red" -v plain="$plain" 'NF > 1 {
                lost = sprintf("%6d", $5)
                if ($5 > 0)
                        lost = red lost plain
                printf "  %-8s %8d %9d %12d %10d %s   %.2f s\n", $1, $2, $3, $4, $6, lost, $7 / 1000
        }'
}

# Setting up

need() {
        local program
        for program in "$@"; do
                command -v "$program" >/dev/null ||
                        die "$program is missing; on Debian: apt-get install nginx redis-server"
        done
}

write_nginx_conf() {
        local kind
        mkdir -p "$directory/nginx/html"
        head -c 40000 /dev/zero | tr '\0' 'x' >"$directory/nginx/html/work"
        {
                cat <<TXT
daemon on;
pid $directory/nginx/nginx.pid;
error_log $directory/nginx/error.log;
worker_processes 2;
events { worker_connections 256; }
http {
        access_log off;
TXT
                for kind in client_body proxy fastcgi uwsgi scgi; do
                        echo "        ${kind}_temp_path $directory/nginx/$kind;"
                done
                cat <<TXT
        server {
                listen 127.0.0.1:$nginx_port;
                root $directory/nginx/html;
                location = /work { limit_rate 32k; }   # so an answer takes a second
        }
}
TXT
        } >"$directory/nginx/nginx.conf"
}

write_supervisord_conf() {
        mkdir -p "$directory/redis"
        cat >"$directory/supervisord.conf" <<TXT
supervisor: { runtime_directory = "$directory/run"; state_directory = "$directory/state"; };

daemons: {
        # Speaks sd_notify; closes its port on a command; has nothing to drain.
        redis: {
                command = [
                        "$(command -v redis-server)",
                        "--daemonize", "no", "--supervised", "systemd",
                        "--bind", "127.0.0.1", "--port", "$redis_port",
                        "--unixsocket", "$directory/redis/redis.sock",
                        "--dir", "$directory/redis", "--save", "", "--appendonly", "no"
                ];
                type   = "notify";
                freeze: {
                        command = [
                                "$(command -v redis-cli)", "-s", "$directory/redis/redis.sock",
                                "config", "set", "port", "0"
                        ];
                };
                drain:  { until = "none"; };
                stop:   { signals = "TERM 5s, KILL"; };
                output: { to = "file"; file = "$directory/redis/log"; };
        };

        # Forks twice, writes its pidfile late; on SIGUSR1 it finishes its work and exits.
        legacyd: {
                command  = [ "$legacyd", "$legacyd_port", "$directory/legacyd.pid" ];
                type     = "forking";
                pidfile  = "$directory/legacyd.pid";
                requires = [ "redis" ];
                freeze:  { signal = "USR1"; };
                drain:   { until = "exit"; };
                output:  { to = "inherit"; };
        };

        # Forks once, has workers; on SIGQUIT they finish their work and exit.
        nginx: {
                command = [ "$(command -v nginx)", "-p", "$directory/nginx",
                            "-c", "$directory/nginx/nginx.conf" ];
                type    = "forking";
                pidfile = "$directory/nginx/nginx.pid";
                freeze: { signal = "QUIT"; };
                drain:  { until = "exit"; };
                output: { to = "inherit"; };
        };
};
TXT
}

set_up() {
        local program
        need nginx redis-server redis-cli setsid
        for program in "$supervisord" "$client" "$legacyd"; do
                [ -x "$program" ] || die "$program is missing; build it first"
        done
        { read -r nginx_port && read -r redis_port && read -r legacyd_port; } \
                < <("$client" ports 3) || die "no free ports were found"

        directory=$(mktemp -d "${TMPDIR:-/tmp}/supervisord-demo.XXXXXX")
        chmod 711 "$directory" # nginx's workers have a user of their own
        log=$directory/log
        report=$directory/report
        touch "$log" "$report"
        write_nginx_conf
        write_supervisord_conf
}

tear_down() {
        local status=$?
        trap '' INT TERM
        if supervisor_runs; then
                kill -QUIT "$supervisor_pid"
                wait_for 20 false || ! supervisor_runs || kill -KILL "$supervisor_pid"
        fi
        [ -z "$client_pid" ] || kill -TERM "$client_pid" 2>/dev/null || true
        [ -n "$directory" ] || return
        if [ $status = 0 ] || [ $status = 130 ]; then
                rm -rf "$directory"
        else
                printf 'Everything of this run is in %s\n' "$directory" >&2
        fi
}

# The run

start() {
        headline "1. Start: legacyd requires redis, nginx nobody"
        # In a session of its own, so that Ctrl-C reaches this script alone.
        env -u NOTIFY_SOCKET setsid "$supervisord" -c "$directory/supervisord.conf" 2>"$log" &
        supervisor_pid=$!
        wait_for 30 log_has ' running: 3 of 3 daemons' || die "the daemons did not become ready"
}

put_under_traffic() {
        headline "2. Traffic: requests of 1 s to nginx, of 0.3 s to legacyd, short ones to redis"
        setsid "$client" "$nginx_port" "$redis_port" "$legacyd_port" >"$report" &
        client_pid=$!
        pass_time 3
        client_report
        show_report
}

reload() {
        headline "3. SIGHUP: new drain times come into force under traffic, nobody notices"
        sed -i 's/{ until = "exit"; }/{ until = "exit"; timeout = "25s"; }/' \
                "$directory/supervisord.conf"
        kill -HUP "$supervisor_pid"
        wait_for 10 log_has 'reload applied' || die "no answer to SIGHUP"
        pass_time 2
        client_report
        show_report
        disturbed_by_reload=$(($(counts 4) + $(counts 5)))
}

show_state() {
        headline "$1"
        kill -USR1 "$supervisor_pid"
        wait_for 10 log_has 'nginx: running for ' || die "no answer to SIGUSR1"
}

play() {
        headline "Everything goes on until Ctrl-C, traffic too. Meanwhile, in another terminal:"
        play_hint "bring an edited configuration into force" "kill -HUP $supervisor_pid"
        play_hint "show the state of everything, here" "kill -USR1 $supervisor_pid"
        play_hint "a request of a second" "curl -s http://127.0.0.1:$nginx_port/work | wc -c"
        play_hint "what redis has counted" "redis-cli -p $redis_port get requests"
        play_hint "see legacyd being started again; its requests are lost" \
                "kill -KILL \$(cat $directory/legacyd.pid)"
        play_hint "every setting, and where it came from" \
                "$supervisord -c $directory/supervisord.conf --dump"
        echo

        # Ctrl-C ends what runs in the foreground as well: no reason to fail.
        while [ -z "$interrupted" ] && supervisor_runs; do
                show_log || true
                sleep 0.2 || true
        done
        echo
}

play_hint() {
        printf '  %s# %s%s\n  %s\n' "$dim" "$1" "$plain" "$2"
}

stop() {
        local status=0
        remember_processes
        wait_for 10 full_traffic || true

        headline "$1"
        kill -TERM "$supervisor_pid" 2>/dev/null || true
        wait_for 50 false || true
        ! supervisor_runs || die "supervisord does not stop"
        wait "$supervisor_pid" || status=$?
        supervisor_status=$status
        wait "$client_pid" || true
        client_pid=
}

summarize() {
        headline "Phases"
        local pattern phase time outcome
        local phases=()
        pattern='^[^ ]+ [^ ]+ (warning: )?([a-z]+) (ended|skipped) \(stop\) after ([^,]+), (.*)$'
        while IFS='|' read -r phase time outcome; do
                printf '  %-8s %10s   %s\n' "$phase" "$time" "$outcome"
                phases+=("$phase")
        done < <(sed -nE "s/$pattern/\\2|\\4|\\5/p" "$log")

        headline "Requests"
        show_report

        headline "Verdict"
        check "SIGHUP disturbed nobody" [ "$disturbed_by_reload" -eq 0 ]
        check "SIGTERM met $in_flight_nginx requests in nginx and $in_flight_legacyd in legacyd" \
                [ $((in_flight_nginx * in_flight_legacyd)) -gt 0 ]
        check "every request that was taken in was answered" [ "$(counts 5)" -eq 0 ]
        check "freeze, drain and cleanup came one after the other" \
                [ "${phases[*]}" = "freeze drain cleanup" ]
        check "no deadline had to force anything" log_has 'stopped after .* 0 forced, 0 left behind'
        check "supervisord exited with 0" [ "$supervisor_status" -eq 0 ]
        check "no process is left of ${#processes[@]}" no_process_left
        check "no pidfile, no socket, no runtime directory is left" no_file_left
        check "no port is open" no_port_left
        if [ ${#cgroups[@]} -gt 0 ]; then
                check "no cgroup is left" no_cgroup_left
        else
                printf '  -       no cgroups could be used here\n'
        fi
}

trap tear_down EXIT
trap 'exit 130' INT TERM

set_up
start
put_under_traffic
reload
show_state "4. SIGUSR1: the state of everything"
if [ -n "$keep" ]; then
        trap 'interrupted=yes' INT TERM
        play
        trap '' INT TERM
fi
stop "5. SIGTERM in full traffic: freeze, drain, cleanup"
summarize

if [ $failures -gt 0 ]; then
        printf '\n%sThe demonstration failed: %d of the above.%s\n' "$red" "$failures" "$plain"
        exit 1
fi
printf '\n%sNothing was lost, nothing is left.%s\n' "$green" "$plain"
