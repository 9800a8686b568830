#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Real daemons that are stopped by SIGTERM with work in flight. They cut it when they get that
# signal; supervisord closes their intake first and waits until the work is done. Nothing else is
# configured for their way down but where a case says so. Runs inside a container, as inside.sh.

# shellcheck source=tests/integration/beside.bash
. "$(dirname "$0")/beside.bash"
# shellcheck source=tests/integration/clients.bash
. "$(dirname "$0")/clients.bash"

# stop_during PID: `systemctl stop`, and whoever is in flight comes to its end.
stop_during() {
        stop
        wait_for 30 has_ended "$1"
}

not_forced() {
        [ -z "$(messages DAEMON_FORCED)" ] || fail "forced: $(messages DAEMON_FORCED)"
}

case_nginx() {
        needs /usr/sbin/nginx nginx
        mkdir -p "$T/www"
        head -c 3000000 /dev/zero >"$T/www/file"
        cat >"$T/nginx.conf" <<CONF
daemon off;
pid $T/nginx.pid;
error_log stderr;
events { }
http {
        access_log off;
        server { listen 127.0.0.1:8080; root $T/www; location / { limit_rate 1000k; } }
}
CONF
        configure "web: { ready: { on = \"listen\"; port = 8080; };
                command = $(list /usr/sbin/nginx -c "$T/nginx.conf"); };"
        start
        "$DAEMONS/client" -p 8080 -g /file -n 10 -f "$T/flight" >"$T/requests" &
        CLIENT=$!
        wait_for 20 exists "$T/flight"
        stop
        all_answered
        not_forced
}

# Clients that keep their connections and go on asking are hung up on while they are idle.
case_nginx_with_keep_alive() {
        local client i
        needs /usr/sbin/nginx nginx
        mkdir -p "$T/www"
        echo hello >"$T/www/file"
        cat >"$T/nginx.conf" <<CONF
daemon off;
pid $T/nginx.pid;
error_log stderr;
events { }
http { access_log off; keepalive_requests 100000; server { listen 127.0.0.1:8088; root $T/www; } }
CONF
        configure "web: { ready: { on = \"listen\"; port = 8088; };
                command = $(list /usr/sbin/nginx -c "$T/nginx.conf");
                drain: { count = \"http\"; timeout = \"9s\"; }; };"
        start
        client=()
        for ((i = 0; i < 10; i++)); do
                keep_asking "$i" &
                client+=("$!")
        done
        wait_for 10 eval "[ \"\$(cat $T/asked.* 2>/dev/null | wc -l)\" -ge 20 ]"
        stop
        wait "${client[@]}"
        not_forced
        diag "answered $(cat "$T"/answered.* | wc -l) of $(cat "$T"/asked.* | wc -l) requests"
}

# One connection, a request every 300 ms, until the server hangs up.
keep_asking() {
        local line
        exec 3<>/dev/tcp/127.0.0.1/8088
        while :; do
                printf 'GET /file HTTP/1.1\r\nHost: x\r\n\r\n' >&3 2>/dev/null || return 0
                echo >>"$T/asked.$1"
                while IFS= read -r line <&3; do
                        [ "$line" != hello ] || break
                done
                [ "$line" = hello ] || return 0
                echo >>"$T/answered.$1"
                sleep 0.3
        done
}

case_apache2() {
        needs /usr/sbin/apache2 apache2
        local modules=/usr/lib/apache2/modules client i
        mkdir -p "$T/cgi" "$T/begun"
        chmod 777 "$T/begun"
        cat >"$T/cgi/slow" <<CGI
#!/bin/sh
: >$T/begun/\$\$
sleep 3
printf 'Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nwhole\n'
CGI
        chmod 755 "$T/cgi/slow"
        cat >"$T/apache2.conf" <<CONF
ServerRoot $T
ServerName localhost
Listen 127.0.0.1:8081
PidFile $T/apache2.pid
ErrorLog $T/error.log
User www-data
Group www-data
LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule alias_module $modules/mod_alias.so
LoadModule cgi_module $modules/mod_cgi.so
ScriptAlias /cgi $T/cgi
<Directory $T/cgi>
        Require all granted
</Directory>
CONF
        configure "web: { ready: { on = \"listen\"; port = 8081; };
                command = $(list /usr/sbin/apache2 -f "$T/apache2.conf" -D FOREGROUND); };"
        start
        client=()
        for i in 1 2 3 4; do
                http_get 8081 /cgi/slow >"$T/answer.$i" &
                client+=("$!")
        done
        wait_for 20 eval "[ \"\$(find $T/begun -type f | wc -l)\" = 4 ]"
        stop
        wait "${client[@]}"
        for i in 1 2 3 4; do
                expect_equal "$(tail -n 1 "$T/answer.$i")" whole "answer $i"
        done
        not_forced
}

# The client has announced a value and not sent it yet.
case_memcached() {
        needs /usr/bin/memcached memcached
        configure "store: { ready: { on = \"listen\"; port = 11311; }; user = \"memcache\";
                command = $(list /usr/bin/memcached -l 127.0.0.1 -p 11311); };"
        start
        memcached_set 11311 >"$T/answer" &
        wait_for 10 exists "$T/flight"
        stop_during $!
        expect_equal "$(cat "$T/answer")" STORED "the answer of memcached"
        not_forced
}

case_redis() {
        needs /usr/bin/redis-server redis-server
        configure "store: { ready: { on = \"listen\"; port = 6380; }; user = \"redis\";
                directory = \"/var/lib/redis\"; command = $(list /usr/bin/redis-server \
                        --daemonize no --port 6380 --bind 127.0.0.1 --save ''); };"
        start
        (
                redis-cli -p 6380 blpop nothing 3 >"$T/answer" 2>&1
                echo "status $?" >>"$T/answer"
        ) &
        CLIENT=$!
        wait_for 10 eval 'redis-cli -p 6380 client list | grep -q cmd=blpop'
        stop_during "$CLIENT"
        expect_equal "$(xargs <"$T/answer")" "status 0" "the answer of redis"
        not_forced
}

# An idle session must not hold it up for ever, a download must not be cut.
case_vsftpd() {
        needs /usr/sbin/vsftpd vsftpd
        mkdir -p /srv/ftp /var/run/vsftpd/empty
        head -c 900000 /dev/zero >/srv/ftp/file
        chmod 644 /srv/ftp/file
        cat >"$T/vsftpd.conf" <<CONF
listen=YES
listen_port=2121
background=NO
anonymous_enable=YES
anon_max_rate=300000
secure_chroot_dir=/var/run/vsftpd/empty
CONF
        configure "ftp: { ready: { on = \"listen\"; port = 2121; }; drain: { until = \"jobs\"; };
                command = $(list /usr/sbin/vsftpd "$T/vsftpd.conf"); };"
        start
        ftp_download 2121 >"$T/size" 2>"$T/ftp" &
        wait_for 10 grep -qs '^150' "$T/ftp"
        stop_during $!
        expect_equal "$(cat "$T/size")" 900000 "the size of what was downloaded"
        not_forced
}

# A message that is being sent is taken, whole.
case_exim4() {
        needs /usr/sbin/exim4 exim4-daemon-light
        mkdir -p "$T/spool"
        chown Debian-exim: "$T/spool"
        cat >"$T/exim.conf" <<CONF
spool_directory = $T/spool
log_file_path = $T/spool/%slog
local_interfaces = 127.0.0.1
daemon_smtp_ports = 2525
domainlist local_domains = localhost
acl_smtp_rcpt = accept_all
queue_only = true
begin acl
accept_all:
        accept
begin routers
begin transports
CONF
        chmod 644 "$T/exim.conf"
        configure "mail: { ready: { on = \"listen\"; port = 2525; };
                command = $(list /usr/sbin/exim4 -bdf -q30m -C "$T/exim.conf"); };"
        start
        smtp_send 2525 >"$T/answer" 2>&1 &
        wait_for 10 grep -qs '^354' "$T/answer"
        stop_during $!
        grep -q '^250 OK id=' "$T/answer" || fail "exim said: $(tail -n 3 "$T/answer")"
        not_forced
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
                listen 127.0.0.1:8079;
                root $T/www;
                location = / { return 200 "$1"; }
                location / { limit_rate 500k; }
        }
}
${2-}
CONF
}

answers() {
        exec 3<>/dev/tcp/127.0.0.1/8079
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
                        ready: { on = \"listen\"; port = 8079; };
                        freeze: { signal = \"QUIT\"; }; drain: { until = \"exit\"; };
                        reload: { check = $(list /usr/sbin/nginx -t -q -c "$T/nginx.conf");
                                signal = \"HUP\"; files = $(list "$T/nginx.conf"); }; };"
        start
        master=$(cat "$T/nginx.pid")
        expect answers one
        "$DAEMONS/client" -p 8079 -g /file -n 5 -f "$T/flight" >"$T/requests" &
        CLIENT=$!
        wait_for 20 exists "$T/flight"

        nginx_conf two
        systemctl reload "$UNIT" || fail "the reload fails"
        wait_for 10 answers two
        expect journaled 'reload applied .*1 with new files'
        nginx_conf three '}'
        ! systemctl reload "$UNIT" 2>/dev/null || fail "a bad file is taken"
        expect_equal "$(show ActiveState)" active "the state"
        wait_for 10 answers two # a worker of before may still be on its way out
        expect journaled 'reload refused .*test of web failed: .*nginx -t -q .*status 1; nothing was'
        expect journaled 'web.reload.check: it says: .*\[emerg\] .*unexpected "}"'
        grep -q 'last reload refused' <<<"$(show StatusText)" || fail "status: $(show StatusText)"

        ! ctl reload web >"$T/out" 2>&1 || fail "a bad file is taken"
        grep -q '^web: refused: its configuration test failed' "$T/out" || fail "$(cat "$T/out")"
        grep -q '^ .*\[emerg\] .*unexpected "}"' "$T/out" || fail "$(cat "$T/out")"
        nginx_conf three
        expect_equal "$(ctl reload web)" 'web: reloaded' "the outcome"
        wait_for 10 answers three
        all_answered
        expect_equal "$(cat "$T/nginx.pid")" "$master" "the master"
        expect kill -0 "$master"
        stop
}

run_cases "$@"
