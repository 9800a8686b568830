# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The supervisors that are compared. For each there is `make_NAME COUNT`, which writes what it needs
# for COUNT daemons into $W, a new directory, and sets the arrays `command` (in the foreground) and,
# where the usual command shows its status, `status_command`; and `stop_command`, a line for sh,
# where SIGTERM is not the usual way.
#
#   $CHILD, $FIFO  what a daemon runs: CHILD FIFO NUMBER

read -ra contenders <<<"${CONTENDERS-floor supervisord supervisor runit s6}"

# Why one cannot be run; nothing: it can.
missing() {
        local program
        case $1 in
        floor | supervisord) return ;;
        supervisor) program=/usr/bin/supervisord ;;
        runit) program=runsvdir ;;
        s6) program=s6-svscan ;;
        dinit)
                echo "Debian 12 has no package of it"
                return
                ;;
        esac
        command -v $program >/dev/null || echo "$program is not installed"
}

# More than that it does not take.
limit_of() {
        case $1 in
        runit) echo 990 ;;
        *) echo 1000000 ;;
        esac
}

# Those which replace nothing within the first second, by their loop or as a rule.
is_slow() {
        [ "$1" = supervisor ] || [ "$1" = s6 ]
}

make_floor() {
        command=("$B/bench/floor" "$1" "$CHILD" "$FIFO")
        status_command=()
}

make_supervisord() {
        local i
        {
                echo "supervisor: { runtime_directory = \"$W/run\";" \
                        "state_directory = \"$W/state\"; };"
                echo "daemons: {"
                for ((i = 0; i < $1; i++)); do
                        echo "d$i: { type = \"simple\"; command = [ \"$CHILD\", \"$FIFO\", \"$i\" ];" \
                                "output: { to = \"null\"; };" \
                                "restart: { limit = 0; delay_max = \"200ms\"; }; };"
                done
                echo "};"
        } >"$W/supervisord.conf"
        command=("$B/supervisord/supervisord" -c "$W/supervisord.conf")
        status_command=("$B/supervisorctl/supervisorctl" -s "$W/run/control" status)
        notify=$W/notify
}

make_supervisor() {
        local i
        cat >"$W/supervisord.conf" <<CONF
[unix_http_server]
file=$W/socket
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://$W/socket
[supervisord]
logfile=/dev/null
logfile_maxbytes=0
pidfile=$W/pid
directory=$W
minfds=8192
CONF
        for ((i = 0; i < $1; i++)); do
                printf '[program:d%d]\ncommand=%s %s %d\nstartsecs=0\nautorestart=true\n' \
                        $i "$CHILD" "$FIFO" $i
                printf 'stdout_logfile=NONE\nstderr_logfile=NONE\n'
        done >>"$W/supervisord.conf"
        command=(/usr/bin/supervisord -n -s -c "$W/supervisord.conf")
        status_command=(/usr/bin/supervisorctl -c "$W/supervisord.conf" status)
        stop_command="/usr/bin/supervisorctl -c '$W/supervisord.conf' stop all >/dev/null"
}

# A directory with a script "run" for each, as runit and s6 want it.
make_services() {
        local i
        mkdir "$W/services"
        for ((i = 0; i < $1; i++)); do
                mkdir "$W/services/d$i"
                printf '#!/bin/sh\nexec %s %s %d\n' "$CHILD" "$FIFO" $i >"$W/services/d$i/run"
                chmod 755 "$W/services/d$i/run"
        done
}

make_runit() {
        make_services "$1"
        command=(runsvdir -P "$W/services")
        status_command=(sv status "$W/services/"*)
        stop_command="kill -HUP \$(pgrep -P \$PPID -x runsvdir)"
}

# A process for each service: there is no command for all.
make_s6() {
        make_services "$1"
        command=(s6-svscan -c 2000 "$W/services")
        status_command=(sh -c "for service in $W/services/*; do s6-svstat \$service; done")
        stop_command="s6-svscanctl -t '$W/services'"
}
