# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Clients of real daemons, in as much of their protocols as a test needs.

# http_get PORT PATH: the answer as it comes; it ends with the connection.
http_get() {
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
        cat <&3
}

# origin PORT: a web server behind proxies, which takes three seconds for /file.
origin() {
        mkdir -p "$T/www"
        head -c 1500000 /dev/zero >"$T/www/file"
        cat >"$T/origin.conf" <<CONF
daemon off;
pid $T/origin.pid;
error_log stderr;
events { }
http {
        access_log off;
        server { listen 127.0.0.1:$1; root $T/www; location / { limit_rate 500k; } }
}
CONF
        helper /usr/sbin/nginx -c "$T/origin.conf"
        wait_for 20 listens "$1"
}

# downloads PORT PATH: five at once, which last some seconds.
downloads() {
        "$DAEMONS/client" -p "$1" -g "$2" -n 5 -f "$T/flight" >"$T/requests" &
        CLIENT=$!
        wait_for 20 exists "$T/flight"
}

downloads_are_whole() {
        all_answered
        tell "in flight" "5 downloads: $(sed -E 's/.*(answered [0-9]+ cut [0-9]+).*/\1/' \
                "$T/requests")"
}

# tls_get PORT PATH: as http_get, by TLS.
tls_get() {
        printf 'GET %s HTTP/1.0\r\n\r\n' "$2" |
                openssl s_client -quiet -connect "127.0.0.1:$1"
}

# http_says PORT PATH TEXT: the last line of the answer.
http_says() {
        [ "$(http_get "$1" "$2" 2>/dev/null | tail -n 1 | tr -d '\r')" = "$3" ]
}

# ftp_download PORT: /file, anonymously, in passive mode; its size on stdout, what the server says on
# stderr.
ftp_download() {
        local line port
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        ftp_read 220
        printf 'USER anonymous\r\n' >&3
        ftp_read 331
        printf 'PASS x\r\n' >&3
        ftp_read 230
        printf 'PASV\r\n' >&3
        ftp_read 227
        port=$(sed -E 's/.*\(([0-9]+,){4}([0-9]+),([0-9]+)\).*/\2 * 256 + \3/' <<<"$line")
        exec 4<>"/dev/tcp/127.0.0.1/$((port))"
        printf 'RETR file\r\n' >&3
        ftp_read 150
        wc -c <&4
        ftp_read 226
        printf 'QUIT\r\n' >&3
}

ftp_read() {
        while IFS= read -r line <&3; do
                printf '%s\n' "$line" >&2
                case $line in
                "$1 "*) return 0 ;;
                esac
        done
        return 1
}

# smtp_send PORT: a message, within three seconds.
smtp_send() {
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        smtp_say 220
        smtp_say 250 'HELO localhost'
        smtp_say 250 'MAIL FROM:<root@localhost>'
        smtp_say 250 'RCPT TO:<root@localhost>'
        smtp_say 354 'DATA'
        sleep 1
        printf 'Subject: test\r\n\r\n' >&3
        sleep 2
        smtp_say 250 'the text
.'
}

# smtp_say STATUS [LINE]
smtp_say() {
        local line
        [ -z "${2-}" ] || printf '%s\r\n' "${2//$'\n'/$'\r\n'}" >&3
        while IFS= read -r line <&3; do
                printf '%s\n' "$line"
                case $line in
                "$1 "*) return 0 ;;
                [45]*) return 1 ;;
                esac
        done
        return 1
}

# banner PORT: the first line that a server says of itself.
banner() {
        local line
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        IFS= read -r -t 5 line <&3
        printf '%s\n' "$line"
}

# memcached_set PORT: announces a value, and sends it three seconds later; the answer on stdout.
memcached_set() {
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf 'set key 0 0 5\r\n' >&3
        touch "$T/flight"
        sleep 3
        printf 'whole\r\n' >&3
        head -n 1 <&3 | tr -d '\r'
}

# imap_append PORT USER PASSWORD: a message, within three seconds; what the server says on stdout.
imap_append() {
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        imap_say '\*'
        imap_say a "a LOGIN $2 $3"
        imap_say '\+' 'b APPEND INBOX {24}'
        sleep 1
        printf 'Subject: test\r\n\r\n' >&3
        sleep 2
        imap_say b $'12345\r\n'
}

# imap_say TAG [LINE]: until an answer with that tag.
imap_say() {
        local line
        [ -z "${2-}" ] || printf '%s\r\n' "$2" >&3
        while IFS= read -r line <&3; do
                printf '%s\n' "$line"
                [[ $line =~ ^$1\  ]] && return 0
        done
        return 1
}

# dns_ask PORT NAME [SECONDS]: for its address, by TCP, with a pause in the middle of the question;
# how many answers there are, on stdout. NAME is two words: "changed test".
dns_ask() {
        local label question='' length=17
        for label in $2; do
                question+=$(printf '\\x%02x%s' ${#label} "$label")
                length=$((length + 1 + ${#label}))
        done
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf "\\x00\\x$(printf %02x $length)\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00" >&3
        if [ -n "${3-}" ]; then
                touch "$T/flight"
                sleep "$3"
        fi
        printf "\\x00\\x00\\x00\\x00$question\\x00\\x00\\x01\\x00\\x01" >&3
        head -c 10 <&3 | od -An -tu1 | awk '{ print $10 }'
}

dns_knows() {
        [ "$(dns_ask "$1" "$2" 2>/dev/null)" = 1 ]
}
