#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Daemons that nobody has a profile for, as Debian packages them. All that is configured is their
# command, and that the rest is found out (type auto); they put themselves into the background, as
# they do by default. What they have in flight at a stop is finished, although each of them cuts it at
# SIGTERM. Runs inside a container.

# shellcheck source=tests/integration/beside.bash
. "$(dirname "$0")/beside.bash"
# shellcheck source=tests/integration/clients.bash
. "$(dirname "$0")/clients.bash"

# stranger PORT COMMAND…: the daemon x with nothing but a command, listening on that port.
stranger() {
        local port=$1
        shift
        NAME=${PACKAGE%-base}
        x_begins "type = \"auto\"; command = $(list "$@");"
        wait_for 20 listens "$port"
        wait_for 10 is_found_out "$port"
        MAIN=$(main_of_x)
}

# One that listens before its first process ends is ready before all of it is known; one that takes
# longer than a second is ready before it listens.
is_found_out() {
        ctl status x >"$T/status" && grep -q 'type: forking' "$T/status" &&
                grep -q "intake: .*:$1" "$T/status"
}

# Nobody knows how: so it is left alone, whoever asks.
no_reload() {
        systemctl reload "$UNIT" || fail "the reload fails"
        ! ctl reload x >"$T/said" 2>&1 || fail "a reload that nobody configured"
        expect x_is_unchanged
        tell reload "none is known: left alone"
}

case_lighttpd() {
        needs /usr/sbin/lighttpd lighttpd
        mkdir -p "$T/www"
        head -c 1500000 /dev/zero >"$T/www/file"
        cat >"$T/lighttpd.conf" <<CONF
server.port = 8093
server.bind = "127.0.0.1"
server.document-root = "$T/www"
server.pid-file = "$T/lighttpd.pid"
connection.kbytes-per-second = 500
CONF
        stranger 8093 /usr/sbin/lighttpd -f "$T/lighttpd.conf"
        no_reload
        x_comes_back listens 8093
        downloads 8093 /file
        x_stops
        downloads_are_whole
}

case_dnsmasq() {
        needs /usr/sbin/dnsmasq dnsmasq-base
        stranger 5354 /usr/sbin/dnsmasq --port=5354 --no-resolv --bind-interfaces \
                --listen-address=127.0.0.1 --address=/here.test/127.0.0.1 \
                --pid-file="$T/dnsmasq.pid"
        no_reload
        x_comes_back dns_knows 5354 "here test"
        dns_ask 5354 "here test" 3 >"$T/answer" &
        CLIENT=$!
        wait_for 10 exists "$T/flight"
        x_stops
        wait "$CLIENT"
        expect_equal "$(cat "$T/answer")" 1 "the answers"
        tell "in flight" "a question by TCP: answered"
}

# Its sessions are processes that live on without it.
case_inetd() {
        needs /usr/sbin/inetutils-inetd inetutils-inetd
        printf '#!/bin/sh\nread -r word\ntouch %s/flight\nsleep 3\necho whole $word\n' "$T" \
                >"$T/slow"
        chmod 755 "$T/slow"
        echo "127.0.0.1:8094 stream tcp nowait root $T/slow slow" >"$T/inetd.conf"
        stranger 8094 /usr/sbin/inetutils-inetd "$T/inetd.conf"
        no_reload
        x_comes_back listens 8094
        (
                exec 3<>/dev/tcp/127.0.0.1/8094
                echo word >&3
                cat <&3 >"$T/answer"
        ) &
        CLIENT=$!
        wait_for 10 exists "$T/flight"
        x_stops
        wait "$CLIENT"
        expect_equal "$(cat "$T/answer")" "whole word" "the answer"
        tell "in flight" "a session that works: finished"
}

case_stunnel() {
        needs /usr/bin/stunnel4 stunnel4
        origin 8095
        openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=here -keyout "$T/key" -out "$T/cert" \
                2>/dev/null
        cat >"$T/stunnel.conf" <<CONF
pid = $T/stunnel.pid
[test]
accept = 127.0.0.1:8096
connect = 127.0.0.1:8095
cert = $T/cert
key = $T/key
CONF
        stranger 8096 /usr/bin/stunnel4 "$T/stunnel.conf"
        no_reload
        x_comes_back listens 8096
        tls_get 8096 /file >"$T/answer" 2>/dev/null &
        CLIENT=$!
        wait_for 10 eval "[ \$(stat -c %s $T/answer) -gt 100000 ]"
        x_stops
        wait "$CLIENT"
        expect_equal "$(sed '1,/^\r$/d' "$T/answer" | wc -c)" 1500000 "the size of the answer"
        tell "in flight" "a download: finished"
}

run_cases "$@"
