#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The profiles, each with the daemon as Debian packages it: it becomes ready, takes a changed file at
# a reload, refuses a broken one without harm, comes back after the death of its main process,
# finishes what is in flight at a stop, and leaves nothing. Runs inside a container.

# shellcheck source=tests/integration/beside.bash
. "$(dirname "$0")/beside.bash"
# shellcheck source=tests/integration/clients.bash
. "$(dirname "$0")/clients.bash"

case_cron() {
        needs /usr/sbin/cron cron
        x_starts cron
        x_comes_back
        # Whole at once: cron looks at the second of a change, and takes no name with a dot.
        printf '* * * * * root touch %s/begun; sleep 5; touch %s/done\n' "$T" "$T" \
                >"/etc/cron.d/test-$INSTANCE.new"
        mv "/etc/cron.d/test-$INSTANCE.new" "/etc/cron.d/test-$INSTANCE"
        wait_for 80 exists "$T/begun"
        rm "/etc/cron.d/test-$INSTANCE"
        tell reload "not needed"
        x_stops /run/crond.pid
        expect exists "$T/done"
        tell "in flight" "a job: finished"
}

# It catches SIGHUP, by which at tells it of a job, and sleeps, so that it has looked once.
atd_waits() {
        grep -q '^State:.*sleeping' "/proc/$MAIN/status" &&
                grep -q '^SigCgt:.*[13579bdf]$' "/proc/$MAIN/status" &&
                [ "$(cat /run/atd.pid)" = "$MAIN" ]
}

case_atd() {
        needs /usr/sbin/atd at
        x_starts atd
        x_comes_back
        wait_for 20 atd_waits
        echo "touch $T/begun; sleep 3; touch $T/done" | at now
        wait_for 20 exists "$T/begun"
        tell reload "not needed"
        x_stops /run/atd.pid
        expect exists "$T/done"
        tell "in flight" "a job: finished"
}

case_nginx() {
        needs /usr/sbin/nginx nginx
        mkdir -p "$T/www"
        head -c 1500000 /dev/zero >"$T/www/file"
        cat >/etc/nginx/sites-enabled/default <<CONF
server { listen 127.0.0.1:8083; root $T/www; location / { limit_rate 500k; } }
CONF
        x_starts nginx listens 8083
        x_takes HUP /etc/nginx/conf.d/test.conf \
                'server { listen 127.0.0.1:8084; return 200 changed; }' http_says 8084 / changed
        x_refuses /etc/nginx/nginx.conf 'nonsense on;'
        x_comes_back listens 8083
        downloads 8083 /file
        x_stops /run/nginx.pid
        downloads_are_whole
}

case_apache2() {
        needs /usr/sbin/apache2 apache2
        sed -i 's/^Listen 80$/Listen 8082/' /etc/apache2/ports.conf
        head -c 1500000 /dev/zero >/var/www/html/file
        cat >/etc/apache2/conf-enabled/slow.conf <<'CONF'
LoadModule ratelimit_module /usr/lib/apache2/modules/mod_ratelimit.so
<Location /file>
        SetOutputFilter RATE_LIMIT
        SetEnv rate-limit 500
</Location>
CONF
        x_starts apache2 listens 8082
        x_takes USR1 /etc/apache2/conf-enabled/test.conf 'Alias /changed /etc/debian_version' \
                eval 'http_get 8082 /changed | grep -q "^HTTP/1.1 \(200\|403\)"'
        x_refuses /etc/apache2/apache2.conf 'Nonsense On'
        x_comes_back listens 8082
        downloads 8082 /file
        x_stops /run/apache2/apache2.pid
        downloads_are_whole
}

case_haproxy() {
        needs /usr/sbin/haproxy haproxy
        origin 8087
        mkdir -p /run/haproxy
        printf 'frontend f\n\tbind 127.0.0.1:8085\n\tdefault_backend b\n%s\n' \
                $'backend b\n\tserver s 127.0.0.1:8087' >>/etc/haproxy/haproxy.cfg
        x_starts haproxy listens 8085
        x_takes USR2 /etc/haproxy/haproxy.cfg $'frontend g\n\tbind 127.0.0.1:8086' listens 8086
        x_refuses /etc/haproxy/haproxy.cfg nonsense
        x_comes_back listens 8085
        downloads 8085 /file
        x_stops /run/haproxy.pid /run/haproxy/admin.sock
        downloads_are_whole
}

case_squid() {
        needs /usr/sbin/squid squid
        origin 8089
        x_starts squid listens 3128
        x_takes HUP /etc/squid/conf.d/test.conf 'http_port 127.0.0.1:3129' listens 3129
        x_refuses /etc/squid/squid.conf 'nonsense on'
        x_comes_back listens 3128
        downloads 3128 http://127.0.0.1:8089/file
        x_stops /run/squid.pid
        downloads_are_whole
}

# php_front: a web server before it, on port 8090.
php_front() {
        cat >"$T/front.conf" <<CONF
daemon off;
user www-data;
pid $T/front.pid;
error_log stderr;
events { }
http {
        access_log off;
        server {
                listen 127.0.0.1:8090;
                root $T/www;
                location / { fastcgi_pass unix:$SOCKET; include /etc/nginx/fastcgi.conf; }
        }
}
CONF
        mkdir -p "$T/www" "$T/begun"
        chmod 777 "$T/begun"
        echo whole >"$T/www/whole.php"
        printf '<?php touch("%s/begun/".getmypid()); sleep(3); echo "whole\\n";\n' "$T" \
                >"$T/www/slow.php"
        helper /usr/sbin/nginx -c "$T/front.conf"
        wait_for 20 listens 8090
}

three_run() {
        [ "$(find "$T/begun" -type f | wc -l)" = 3 ]
}

case_php_fpm() {
        local conf client=() i
        needs /etc/init.d/php*-fpm php-fpm
        conf=$(echo /etc/php/*/fpm)
        SOCKET=$(sed -n 's/^listen = //p' "$conf/pool.d/www.conf")
        x_starts php-fpm exists "$SOCKET"
        php_front
        expect http_says 8090 /whole.php whole
        x_takes USR2 "$conf/pool.d/test.conf" "$(printf '%s\n' '[test]' 'user = www-data' \
                'listen = /run/php/test.sock' 'pm = static' 'pm.max_children = 1')" \
                exists /run/php/test.sock
        x_refuses "$conf/php-fpm.conf" 'nonsense = 1'
        x_comes_back http_says 8090 /whole.php whole
        for i in 1 2 3; do
                http_get 8090 /slow.php >"$T/answer.$i" &
                client+=($!)
        done
        wait_for 20 three_run
        x_stops "$SOCKET" /run/php/test.sock "/run/php/php${conf//[!0-9.]/}-fpm.pid"
        wait "${client[@]}"
        expect_equal "$(cat "$T"/answer.? | grep -c whole)" 3 "whole answers"
        tell "in flight" "3 requests: answered 3 cut 0"
}

case_redis() {
        needs /usr/bin/redis-server redis-server
        x_starts redis listens 6379
        expect_equal "$(redis-cli set key kept)" OK "redis"
        x_takes restart /etc/redis/redis.conf 'maxclients 99' \
                eval 'redis-cli config get maxclients | grep -q 99'
        expect_equal "$(redis-cli get key)" kept "the data after a restart"
        x_refuses /etc/redis/redis.conf 'nonsense on'
        x_comes_back listens 6379
        (
                redis-cli blpop nothing 3 >"$T/answer" 2>&1
                echo "status $?" >>"$T/answer"
        ) &
        CLIENT=$!
        wait_for 10 eval 'redis-cli client list | grep -q cmd=blpop'
        x_stops /run/redis/redis-server.pid
        wait "$CLIENT"
        expect_equal "$(xargs <"$T/answer")" "status 0" "the answer of redis"
        tell "in flight" "a blocked command: answered"
}

case_memcached() {
        needs /usr/bin/memcached memcached
        x_starts memcached listens 11211
        tell reload "none: it has no file"
        x_comes_back listens 11211
        memcached_set 11211 >"$T/answer" &
        CLIENT=$!
        wait_for 10 exists "$T/flight"
        x_stops
        wait "$CLIENT"
        expect_equal "$(cat "$T/answer")" STORED "the answer of memcached"
        tell "in flight" "a value half sent: stored"
}

sql() {
        runuser -u postgres -- psql -At "$@" postgres
}

# The sessions that a stop meets: a query, a transaction between two of them, and one that is idle.
sql_sessions() {
        sql >"$T/transaction" 2>&1 <<SQL &
begin;
insert into t values (2);
\\! while ! [ -e $T/go ]; do sleep 0.1; done
commit;
SQL
        CLIENT=$!
        helper sql >/dev/null 2>&1 <<'SQL'
select 1;
\! sleep 200
SQL
        wait_for 30 sql_sessions_are "active 1|idle 1|idle in transaction 1"
        sql -c 'insert into t select 1 from pg_sleep(6)' >"$T/query" 2>&1 &
        CLIENT="$CLIENT $!"
        wait_for 10 sql_sessions_are "active 2|idle 1|idle in transaction 1"
}

# The transaction ends two seconds after the stop has begun.
sql_goes_on() {
        wait_for 60 is_state deactivating
        sleep 2
        touch "$T/go"
}

sql_sessions_are() {
        [ "$(sql -c "select state || ' ' || count(*) from pg_stat_activity
                where backend_type = 'client backend' group by state order by 1" |
                paste -s -d '|')" = "$1" ]
}

case_postgresql() {
        local main
        needs /usr/bin/pg_ctlcluster postgresql
        main=$(echo /etc/postgresql/*/main)
        x_starts postgresql listens 5432
        expect_equal "$(sql -c 'create table t (n int)')" "CREATE TABLE" "the database"
        x_takes HUP "$main/conf.d/test.conf" "work_mem = '5MB'" \
                eval '[ "$(sql -c "show work_mem")" = 5MB ]'
        x_refuses "$main/postgresql.conf" 'nonsense = 1'
        x_comes_back listens 5432
        sql_sessions
        helper sql_goes_on
        x_stops /run/postgresql/.s.PGSQL.5432 "/run/postgresql/${main//[!0-9]/}-main.pid" \
                "/var/lib/postgresql/${main//[!0-9]/}/main/postmaster.pid"
        # shellcheck disable=SC2086 # two
        wait $CLIENT
        expect_equal "$(cat "$T/query")" "INSERT 0 1" "the query"
        expect_equal "$(tail -n 1 "$T/transaction")" COMMIT "the transaction"
        tell "in flight" "a query: answered; an open transaction: committed; an idle session: not waited for"
}

case_exim4() {
        needs /usr/sbin/exim4 exim4-daemon-light
        x_starts exim4 listens 25
        sed -i '1i smtp_banner = changed' /var/lib/exim4/config.autogenerated
        x_takes HUP /etc/exim4/update-exim4.conf.conf '# changed' \
                eval '[[ $(banner 25 2>/dev/null) == *changed* ]]'
        x_refuses /var/lib/exim4/config.autogenerated 'nonsense = here'
        x_comes_back listens 25
        smtp_send 25 >"$T/answer" 2>&1 &
        CLIENT=$!
        wait_for 10 grep -qs '^354' "$T/answer"
        x_stops /run/exim4/exim.pid
        wait "$CLIENT"
        grep -q '^250 OK id=' "$T/answer" || fail "exim said: $(tail -n 3 "$T/answer")"
        tell "in flight" "a message half sent: taken"
}

# ssh_session: one that answers what comes by $T/ask; $CLIENT is its client.
ssh_session() {
        mkdir -p /root/.ssh
        ssh-keygen -q -t ed25519 -N '' -f "$T/key"
        cat "$T/key.pub" >>/root/.ssh/authorized_keys
        mkfifo "$T/ask"
        ssh -i "$T/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile="$T/hosts" -o BatchMode=yes \
                root@127.0.0.1 'echo begun $$; read -r line; echo "said $line"' \
                <"$T/ask" >"$T/session" 2>"$T/session.err" &
        CLIENT=$!
        exec 7>"$T/ask"
        wait_for 30 grep -qs begun "$T/session"
        SHELL_PID=$(sed -n 's/^begun //p' "$T/session")
}

session_lives() {
        is_running "$SHELL_PID" && is_running "$CLIENT"
}

# The session that began before all of it is there at the end.
case_sshd() {
        needs /usr/sbin/sshd openssh-server
        x_starts sshd listens 22
        x_takes HUP /etc/ssh/sshd_config.d/test.conf $'Port 22\nPort 2222' listens 2222
        x_refuses /etc/ssh/sshd_config 'Nonsense on'
        ssh_session
        x_comes_back listens 22
        expect session_lives
        ctl restart x || fail "it cannot be restarted"
        expect session_lives
        ctl stop x || fail "it cannot be stopped"
        expect_not listens 22
        expect session_lives
        ctl start x || fail "it cannot be started"
        expect listens 22
        echo hello >&7
        exec 7>&-
        wait "$CLIENT"
        expect grep -q '^said hello' "$T/session"
        wait_for 20 has_ended "$SHELL_PID"
        x_stops /run/sshd.pid
        tell "in flight" "a session: lives over kill -9, restart and stop"
}

case_vsftpd() {
        needs /usr/sbin/vsftpd vsftpd
        mkdir -p /srv/ftp /run/vsftpd/empty
        head -c 900000 /dev/zero >/srv/ftp/file
        sed -i 's/^anonymous_enable=NO/anonymous_enable=YES\nanon_max_rate=300000/' /etc/vsftpd.conf
        x_starts vsftpd listens 21
        x_takes HUP /etc/vsftpd.conf ftpd_banner=changed \
                eval '[[ $(banner 21 2>/dev/null) == *changed* ]]'
        x_refuses /etc/vsftpd.conf 'nonsense=YES'
        x_comes_back listens 21
        ftp_download 21 >"$T/size" 2>"$T/ftp" &
        CLIENT=$!
        wait_for 10 grep -qs '^150' "$T/ftp"
        x_stops
        wait "$CLIENT"
        expect_equal "$(cat "$T/size")" 900000 "the size of what was downloaded"
        tell "in flight" "a download: finished"
}

# Half a line, and three seconds later the rest and more.
syslog_send() {
        exec 3<>/dev/tcp/127.0.0.1/5514
        printf '<134>Jan  1 00:00:00 here flight: be' >&3
        touch "$T/flight"
        sleep 3
        printf 'gun\n' >&3
        seq -f '<134>Jan  1 00:00:00 here flight: %g' 1000 >&3
}

is_logged() {
        logger -t probe "$1"
        grep -q "probe.*: $1" /var/log/syslog 2>/dev/null
}

case_rsyslog() {
        needs /usr/sbin/rsyslogd rsyslog
        x_starts rsyslog
        wait_for 10 is_logged started
        x_takes restart /etc/rsyslog.d/test.conf 'module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="5514")
local0.* /var/log/flight.log' listens 5514
        x_refuses /etc/rsyslog.conf 'nonsense('
        x_comes_back is_logged again
        syslog_send &
        CLIENT=$!
        wait_for 10 exists "$T/flight"
        x_stops /run/rsyslogd.pid
        wait "$CLIENT"
        expect_equal "$(grep -c 'flight: ' /var/log/flight.log)" 1001 "the lines"
        tell "in flight" "1001 lines by TCP: 1001 written"
}

dns_zone() {
        printf 'zone "%s" { type master; file "/etc/bind/test.db"; };' "$1"
}

case_bind9() {
        needs /usr/sbin/named bind9
        printf '%s\n' '@ 60 IN SOA @ root 1 60 60 60 60' '@ 60 IN NS @' '@ 60 IN A 127.0.0.1' \
                >/etc/bind/test.db
        dns_zone here.test >>/etc/bind/named.conf.local
        x_starts bind9 dns_knows 53 "here test"
        x_takes HUP /etc/bind/named.conf.local "$(dns_zone changed.test)" dns_knows 53 "changed test"
        x_refuses /etc/bind/named.conf.local 'nonsense;'
        x_comes_back dns_knows 53 "here test"
        dns_ask 53 "here test" 3 >"$T/answer" &
        CLIENT=$!
        wait_for 10 exists "$T/flight"
        x_stops /run/named/named.pid /run/named/session.key
        wait "$CLIENT"
        expect_equal "$(cat "$T/answer")" 1 "the answers"
        tell "in flight" "a question by TCP: answered"
}

case_dovecot() {
        needs /usr/sbin/dovecot dovecot-core
        useradd -m -G mail tester
        echo tester:secret | chpasswd
        install -o tester -g mail -m 660 /dev/null /var/mail/tester
        x_starts dovecot listens 143
        x_takes HUP /etc/dovecot/local.conf 'service imap-login {
  inet_listener imap2 {
    port = 1143
  }
}' listens 1143
        x_refuses /etc/dovecot/local.conf 'nonsense = on'
        x_comes_back listens 143
        imap_append 143 tester secret >"$T/answer" &
        CLIENT=$!
        wait_for 10 grep -q '^+' "$T/answer"
        x_stops /run/dovecot/master.pid /run/dovecot/anvil
        wait "$CLIENT"
        grep -q '^b OK' "$T/answer" || fail "dovecot said: $(tail -n 3 "$T/answer")"
        expect grep -q 12345 /var/mail/tester
        tell "in flight" "a message half sent: stored"
}

case_all_are_listed() {
        local file
        supervisorctl profiles >"$T/list" || fail "profiles cannot be listed"
        for file in /usr/share/supervisord/profiles/*.conf; do
                grep -q "^$(basename "$file" .conf) " "$T/list" || fail "$file is not listed"
                supervisorctl profiles "$(basename "$file" .conf)" >/dev/null || fail "$file"
        done
}

run_cases "$@"
