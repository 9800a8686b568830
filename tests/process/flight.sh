#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Freeze and drain of daemons that know nothing of it: naive servers that die of SIGTERM at once,
# real sockets, real clients. Nothing is configured for the way down but where a case says so.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# Once is enough for what does not look at processes.
variants() {
        case $1 in
        many_stops_cut_nothing | in_a_network_of_its_own | as_nobody) echo cgroup ;;
        *) echo cgroup descent ;;
        esac
}

# naive NAME WORDS…: a server that says in $T/NAME.port where it listens.
naive() {
        local name=$1
        shift
        printf '%s: { ready: { on = "listen"; }; command = %s; %s };\n' "$name" \
                "$(list "$BIN/naive" -P "$T/$name.port" "$@")" "${SETTINGS-}"
}

# requests NAME COUNT: so many in flight with a server.
requests() {
        "$BIN/client" -p "$(content "$T/$1.port")" -n "$2" -f "$T/flight.$1" >"$T/requests.$1" &
        CLIENTS+=("$!")
        wait_for 20 exists "$T/flight.$1"
}
CLIENTS=()

# answered NAME COUNT: each of them got its whole answer.
answered() {
        expect_equal "$(cat "$T/requests.$1")" "requests $2 answered $2 cut 0 refused 0" "what $1 did"
}

clients_end() {
        local client
        for client in "${CLIENTS[@]}"; do
                wait_for 30 has_ended "$client"
        done
        CLIENTS=()
}

# New clients of a server: they are told no at once.
is_refused() {
        [ "$("$BIN/client" -p "$(content "$T/$1.port")" -n 3 -R -T 5)" = \
                "requests 3 answered 0 cut 0 refused 3" ]
}

is_served() {
        [ "$("$BIN/client" -p "$(content "$T/$1.port")" -n 3 -T 5)" = \
                "requests 3 answered 3 cut 0 refused 0" ]
}

# Whether something of ours is on a listening socket: an interface that does not exist.
is_closed() {
        ! is_open "$1"
}

is_open() {
        "$BIN/client" -p "$(content "$T/$1.port")" -n 1 -T 5 >/dev/null 2>&1
}

case_many_stops_cut_nothing() {
        local round
        programs naive client
        configure "$(naive threads -d 200) $(naive forks -m fork -d 200)"
        for ((round = 0; round < 20; round++)); do
                rm -f "$T"/flight.* "$T"/*.port; : >"$T/notify"
                start_ready
                requests threads 10
                requests forks 10
                stop
                clients_end
                answered threads 10
                answered forks 10
        done
        expect_equal "$(log_count 'forced')" "$(log_count ' 0 forced')" "lines that say forced"
}

# in_state STATE COUNT: so many connections of the server `single`, accepted or not, are in it.
in_state() {
        [ "$(ss -Htn state "$1" sport = ":$(content "$T/single.port")" | wc -l)" = "$2" ]
}

# stop_in_front_of STATE OPTION…: 20 clients of a server that answers one after the other; it has
# taken the first of them when it is stopped, the others wait in the queue that the kernel keeps.
stop_in_front_of() {
        local state=$1
        shift
        programs naive client
        configure "$(naive single -m single -A "$T/go")"
        start_ready
        "$BIN/client" "$@" -p "$(content "$T/single.port")" -n 20 >"$T/requests.single" &
        CLIENTS=("$!")
        wait_for 20 in_state "$state" 20
        kill -TERM "$SUP"
        wait_for 20 logged 'single: draining: [1-9][0-9]* waiting'
        : >"$T/go"
        ended
        expect_equal "$RC" 0 "exit status"
        clients_end
        answered single 20
        expect_nothing_left
}

case_a_full_queue_is_served() {
        stop_in_front_of established
}

# They have said all they have to say, and end their side while they wait in the queue.
case_clients_that_ended_their_side_are_served() {
        stop_in_front_of close-wait -e
}

# Of those in the queue a daemon that is held up has made no job yet.
case_jobs_of_the_queue_are_waited_for() {
        local main
        programs naive client
        configure "$(SETTINGS='drain: { until = "jobs"; };' naive forks -m fork -d 300)"
        start_ready
        main=$(processes_of naive)
        kill -STOP "$main"
        "$BIN/client" -p "$(content "$T/forks.port")" -n 3 >"$T/requests.forks" &
        CLIENTS=("$!")
        wait_for 10 eval "[ \"\$(ss -Htn state established sport = :$(content "$T/forks.port") |
                wc -l)\" = 3 ]"
        kill -TERM "$SUP"
        wait_for 10 logged 'drain begins'
        kill -CONT "$main"
        ended
        clients_end
        answered forks 3
        expect_nothing_left
}

case_new_clients_are_refused_at_once() {
        programs naive client
        configure "$(SETTINGS='drain: { quiet = "1h"; };' naive threads -A "$T/go")"
        start_ready
        requests threads 5
        kill -TERM "$SUP"
        wait_for 10 logged 'threads: draining'
        expect is_refused threads
        : >"$T/go"
        ended
        expect_equal "$RC" 0 "exit status"
        clients_end
        answered threads 5
        expect_nothing_left
}

case_unix_sockets() {
        programs naive
        configure "path: { ready: { on = \"unix\"; path = \"$T/sock\"; };
                command = $(list "$BIN/naive" -u "$T/sock" -d 1000); };"
        start_ready
        ask_unix "$T/sock" >"$T/answer" &
        CLIENTS=("$!")
        wait_for 10 grep -qs taken "$T/answer"
        kill -TERM "$SUP"
        wait_for 10 is_gone "$T/sock"
        ended
        clients_end
        grep -q '^end of answer 7' "$T/answer" || fail "the answer: $(head -c 200 "$T/answer")"
        expect_equal "$(find "$T" -name 'sock*')" "" "what is left of the socket"
        expect_nothing_left
}

# A client of a UNIX socket, with what Python has.
ask_unix() {
        python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"7\n")
while True:
    data = s.recv(65536)
    if not data:
        break
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()' "$1"
}

# Web asks app, app asks db; each is as naive as the others. See tests/daemons/chain.c.
case_in_front_of_each_other() {
        programs naive client chain
        configure "web: { requires = [ \"app\" ]; ready: { on = \"listen\"; };
                        command = $(list "$BIN/chain" -P "$T/web.port" -b "$T/app.port" -d 200); };
                app: { requires = [ \"db\" ]; ready: { on = \"listen\"; };
                        command = $(list "$BIN/chain" -P "$T/app.port" -b "$T/db.port" -d 200); };
                $(naive db -d 200)"
        start_ready
        requests web 10
        stop
        clients_end
        answered web 10
}

case_busy_peers_are_named() {
        programs naive client
        configure "$(SETTINGS='drain: { quiet = "1h"; timeout = "1s"; };' naive threads -d 60000)"
        start_ready
        requests threads 2
        stop
        expect logged 'threads: drain forced after .*: 0 waiting, 2 busy, 0 idle \(127\.0\.0\.1:[0-9]+, '
        clients_end
}

# Whoever comes after it opens what it had closed.
case_killed_while_frozen() {
        programs naive client
        configure "$(naive threads)
                path: { ready: { on = \"unix\"; path = \"$T/sock\"; };
                        command = $(list "$BIN/naive" -u "$T/sock"); };"
        start_ready
        ctl 0 freeze threads path
        expect is_refused threads
        expect is_gone "$T/sock"
        kill -KILL "$SUP"
        ended
        # Without a cgroup nobody can tell whose they were.
        [ "$VARIANT" = cgroup ] || kill_all
        : >"$T/notify"
        start_ready
        expect is_served threads
        expect exists "$T/sock"
        expect_equal "$(find "$T" -name 'sock?*')" "" "what stood aside"
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect rmdir "$T/run" # empty, and not made by the one that left it
        expect_nothing_left
}

# The capabilities that a container gets by default.
case_with_the_capabilities_of_a_container() {
        needs_root
        programs naive client
        configure "$(naive threads -d 500)"
        START_BY=(setpriv --bounding-set
                "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap"
                --inh-caps=-all)
        start_ready
        requests threads 5
        ctl 0 restart threads
        clients_end
        answered threads 5
        expect logged 'cannot be held .*refusing them instead'
        rm "$T/flight.threads"
        requests threads 5
        stop
        clients_end
        answered threads 5
}

case_as_nobody() {
        needs_root
        programs naive client
        configure "$(naive threads -d 500)" 'cgroups = false;'
        sed -i '0,/cgroups = true/{/cgroups = true/d}' "$T/supervisord.conf"
        chmod 777 "$T"
        touch "$T/log"
        chmod 666 "$T/log" "$T/notify.sock"
        START_BY=(setpriv --reuid 65534 --regid 65534 --clear-groups)
        start_ready
        requests threads 5
        stop
        clients_end
        answered threads 5
        expect_not logged 'stays open'
}

# The daemon, and the sockets by which it is asked, are elsewhere.
case_in_a_network_of_its_own() {
        local inside
        needs_root
        command -v unshare >/dev/null || skip "there is no unshare"
        programs naive client
        configure "far: { ready: { on = \"listen\"; }; command = $(list /bin/sh -c \
                "ip link set lo up; exec $BIN/naive -P $T/far.port -d 500");
                };"
        sed -i 's|"/bin/sh", "-c"|"/usr/bin/unshare", "--net", "/bin/sh", "-c"|' "$T/supervisord.conf"
        start_ready
        inside=$(processes_of naive)
        nsenter -t "$inside" -n "$BIN/client" -p "$(content "$T/far.port")" -n 5 \
                -f "$T/flight.far" >"$T/requests.far" &
        CLIENTS=("$!")
        wait_for 10 exists "$T/flight.far"
        stop
        clients_end
        answered far 5
}

# A filter that somebody else has put on the socket is left alone, and said.
case_nobody_else_is_disturbed() {
        programs naive client
        configure "$(naive threads -d 300) other: { ready: { on = \"listen\"; };
                command = $(list "$BIN/naive" -P "$T/other.port"); freeze: { method = \"none\"; }; };"
        start_ready
        ctl 0 freeze threads
        expect is_refused threads
        expect is_served other
        ctl 0 thaw threads
        expect is_served threads
        stop
}

run_cases "$@"
