#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The profiles, each with the daemon as Debian packages it: it becomes ready, reloads, refuses a
# broken file without harm, comes back after the death of its main process, and leaves nothing when
# it is stopped. What is in flight at a stop is for flight.sh. Runs inside a container.

# shellcheck source=tests/integration/lib.bash
. "$(dirname "$0")/lib.bash"

# begin PROFILE PROGRAM [SETTINGS]: the daemon x by that profile, running.
begin() {
        [ -x "$2" ] || skip "$2 is not in this root"
        configure "x: { profile = \"$1\"; ${3-} };"
        start
        expect_equal "$(state_of_x)" running "the state after the start"
        MAIN=$(main_of_x)
}

main_of_x() {
        supervisorctl pid x
}

state_of_x() {
        supervisorctl --json status x | sed -n 's/.*"state": "\([a-z]*\)".*/\1/p' | head -n 1
}

listens() {
        ss -Hltn "sport = :$1" | grep -q .
}

# reloads FILE GARBAGE: its own reload, with a good file and with a broken one.
reloads() {
        supervisorctl reload x || fail "its own reload fails"
        expect_equal "$(state_of_x)" running "the state after a reload"
        expect_equal "$(main_of_x)" "$MAIN" "the main process after a reload"
        [ -n "${2-}" ] || return 0

        cp -a "$1" "$T/kept"
        printf '%s\n' "$2" >>"$1"
        if supervisorctl reload x >"$T/said" 2>&1; then
                cp -a "$T/kept" "$1"
                fail "a reload of a broken file succeeds"
        fi
        if systemctl reload $UNIT 2>/dev/null; then
                cp -a "$T/kept" "$1"
                fail "a reload of everything does not see the broken file"
        fi
        cp -a "$T/kept" "$1"
        holds 1 eval "[ \"\$(main_of_x)\" = $MAIN ]"
}

# comes_back [PORT]: its main process is killed.
comes_back() {
        kill -KILL "$MAIN"
        wait_for 30 eval "[ \"\$(state_of_x)\" = running ] && [ \"\$(main_of_x)\" != $MAIN ]"
        [ -z "${1-}" ] || wait_for 10 listens "$1"
}

ends() {
        stop
        [ -z "${1-}" ] || expect_not listens "$1"
}

case_nginx() {
        begin nginx /usr/sbin/nginx
        expect listens 80
        reloads /etc/nginx/nginx.conf 'nonsense on;'
        comes_back 80
        ends 80
}

# nginx_conf ANSWER [MORE]
nginx_conf() {
        cat >"$T/nginx.conf" <<CONF
pid $T/nginx.pid;
error_log stderr;
events { }
http {
        access_log off;
        default_type text/plain;
        server {
                listen 127.0.0.1:8080;
                root $T/www;
                location = / { return 200 "$1"; }
                location / { limit_rate 500k; }
        }
}
${2-}
CONF
}

answers() {
        exec 3<>/dev/tcp/127.0.0.1/8080
        printf 'GET / HTTP/1.0\r\n\r\n' >&3
        [ "$(tail -n 1 <&3)" = "$1" ]
}

# Without the profile: a reload under load, by the unit and by name.
case_nginx_reloads_under_load() {
        local master
        mkdir -p "$T/www"
        chmod 755 "$T" "$T/www"
        head -c 3000000 /dev/zero >"$T/www/file"
        nginx_conf one
        configure "web: { type = \"forking\"; pidfile = \"$T/nginx.pid\";
                        command = $(list /usr/sbin/nginx -c "$T/nginx.conf");
                        ready: { on = \"listen\"; port = 8080; };
                        freeze: { signal = \"QUIT\"; }; drain: { until = \"exit\"; };
                        reload: { check = $(list /usr/sbin/nginx -t -q -c "$T/nginx.conf");
                                signal = \"HUP\"; files = $(list "$T/nginx.conf"); }; };"
        start
        master=$(cat "$T/nginx.pid")
        expect answers one
        "$DAEMONS/client" -p 8080 -g /file -n 5 -f "$T/flight" >"$T/requests" &
        CLIENT=$!
        wait_for 20 exists "$T/flight"

        nginx_conf two
        systemctl reload $UNIT || fail "the reload fails"
        wait_for 10 answers two
        expect journaled 'reload applied .*1 with new files'
        nginx_conf three '}'
        ! systemctl reload $UNIT 2>/dev/null || fail "a bad file is taken"
        expect_equal "$(show ActiveState)" active "the state"
        expect answers two
        expect journaled 'reload refused .*test of web failed: .*nginx -t -q .*status 1; nothing was'
        expect journaled 'web.reload.check: it says: .*\[emerg\] .*unexpected "}"'
        grep -q 'last reload refused' <<<"$(show StatusText)" || fail "status: $(show StatusText)"

        ! supervisorctl reload web >"$T/out" 2>&1 || fail "a bad file is taken"
        grep -q '^web: refused: its configuration test failed' "$T/out" || fail "$(cat "$T/out")"
        grep -q '^ .*\[emerg\] .*unexpected "}"' "$T/out" || fail "$(cat "$T/out")"
        nginx_conf three
        expect_equal "$(supervisorctl reload web)" 'web: reloaded' "the outcome"
        wait_for 10 answers three
        all_answered
        expect_equal "$(cat "$T/nginx.pid")" "$master" "the master"
        expect kill -0 "$master"
        stop
}

case_apache2() {
        begin apache2 /usr/sbin/apache2
        expect listens 80
        reloads /etc/apache2/apache2.conf 'Nonsense On'
        comes_back 80
        ends 80
}

case_haproxy() {
        [ -x /usr/sbin/haproxy ] || skip "haproxy is not in this root"
        mkdir -p /run/haproxy
        if ! grep -q '^frontend' /etc/haproxy/haproxy.cfg; then
                printf 'frontend f\n\tbind 127.0.0.1:8085\n' >>/etc/haproxy/haproxy.cfg
        fi
        begin haproxy /usr/sbin/haproxy
        expect listens 8085
        reloads /etc/haproxy/haproxy.cfg 'nonsense'
        comes_back 8085
        ends 8085
}

case_redis() {
        begin redis /usr/bin/redis-server
        expect listens 6379
        expect_equal "$(redis-cli set key kept)" OK "redis"
        comes_back 6379
        ends 6379
}

case_memcached() {
        begin memcached /usr/bin/memcached
        expect listens 11211
        comes_back 11211
        ends 11211
}

case_exim4() {
        begin exim4 /usr/sbin/exim4
        expect listens 25
        reloads /var/lib/exim4/config.autogenerated 'nonsense = here'
        comes_back 25
        ends 25
}

case_vsftpd() {
        [ -x /usr/sbin/vsftpd ] || skip "vsftpd is not in this root"
        mkdir -p /var/run/vsftpd/empty
        begin vsftpd /usr/sbin/vsftpd
        expect listens 21
        reloads /etc/vsftpd.conf ''
        comes_back 21
        ends 21
}

# A job that runs is finished, and no new one begins.
case_cron() {
        local job
        begin cron /usr/sbin/cron
        comes_back
        printf '* * * * * root touch %s/begun; sleep 8; touch %s/done\n' "$T" "$T" >/etc/cron.d/test
        wait_for 80 exists "$T/begun"
        rm /etc/cron.d/test
        job=$(now_ms)
        ends
        expect exists "$T/done"
        diag "waited $(($(now_ms) - job)) ms for a job"
}

case_all_are_listed() {
        local file
        configure "$(sleeper a)"
        supervisorctl profiles >"$T/list" || fail "profiles cannot be listed"
        for file in /usr/share/supervisord/profiles/*.conf; do
                grep -q "^$(basename "$file" .conf) " "$T/list" || fail "$file is not listed"
                supervisorctl profiles "$(basename "$file" .conf)" >/dev/null || fail "$file"
        done
}

run_cases "$@"
