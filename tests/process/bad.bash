# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Configurations that cannot be used, at a start and at a reload alike: each bad_NAME writes one to
# $T/supervisord.conf, where nothing is yet, or to $T/conf.d.

# All of them; some cannot be made by everybody.
bad_names() {
        local name
        for name in $(compgen -A function bad_); do
                case $name in
                bad_names) ;;
                bad_world_writable | bad_owned_by_somebody_else)
                        [ "$(id -u)" != 0 ] || echo "$name"
                        ;;
                *) echo "$name" ;;
                esac
        done
}

bad_syntax_error() {
        printf 'daemons: {\n  a: {\n    command = = [ ];\n  };\n};\n' >"$T/supervisord.conf"
}

bad_not_closed() {
        printf 'daemons: {\n  a: {\n' >"$T/supervisord.conf"
}

bad_empty() {
        : >"$T/supervisord.conf"
}

bad_no_daemons() {
        configure ''
}

bad_directory() {
        mkdir "$T/supervisord.conf"
}

bad_fifo() {
        mkfifo "$T/supervisord.conf"
}

bad_huge() {
        head -c 20000000 /dev/zero | tr '\0' ' ' >"$T/supervisord.conf"
}

bad_endless() {
        ln -s /dev/zero "$T/supervisord.conf"
}

bad_binary() {
        head -c 4096 "$BIN/supervisord" >"$T/supervisord.conf"
}

bad_nul_bytes() {
        printf 'daemons: { a: { command = [ "/bin/true" ]; }; };\0\n' >"$T/supervisord.conf"
}

bad_deeply_nested() {
        (printf 'daemons: '; head -c 100000 /dev/zero | tr '\0' '{') >"$T/supervisord.conf"
}

bad_world_writable() {
        configure ''
        chmod 666 "$T/supervisord.conf"
}

bad_owned_by_somebody_else() {
        configure ''
        chown 65534 "$T/supervisord.conf"
}

bad_unknown_setting() {
        cat >"$T/supervisord.conf" <<'CONF'
daemons: {
        a: { command = [ "/bin/true" ];
                drian: { timeout = "5s"; }; };
};
CONF
}

bad_cycle() {
        configure "a: { command = $(list /bin/true); requires = [ \"b\" ]; };
                b: { command = $(list /bin/true); after = [ \"c\" ]; };
                c: { command = $(list /bin/true); requires = [ \"a\" ]; };"
}

bad_unknown_requirement() {
        configure "web: { command = $(list /bin/true); requires = [ \"wbe\" ]; };"
}

bad_doubled_daemon() {
        mkdir "$T/conf.d"
        configure 'a: { command = [ "/bin/true" ]; };'
        cat >"$T/conf.d/again.conf" <<'CONF'
daemons: {
        a: { command = [ "/bin/false" ]; };
};
CONF
}

bad_unknown_user() {
        configure 'a: { command = [ "/bin/true" ]; user = "nobodyx"; };'
}

bad_unknown_group() {
        configure 'a: { command = [ "/bin/true" ]; group = "nogroupx"; };'
}

bad_command_is_missing() {
        configure 'a: { command = [ "/no/such/program" ]; };'
}

bad_command_is_not_executable() {
        touch "$T/program"
        configure "a: { command = $(list "$T/program"); };"
}

bad_command_is_a_directory() {
        configure "a: { command = $(list "$T"); };"
}

bad_no_command() {
        configure 'a: { };'
}

bad_terminal_escapes() {
        printf 'daemons: { a: { command = [ "/bin/\\x1b[31mred" ]; }; };\n' >"$T/supervisord.conf"
}

# The file is good, what stands beside it is not.
bad_file_in_conf_d() {
        mkdir "$T/conf.d"
        configure 'a: { command = [ "/bin/true" ]; };'
        echo 'daemons: { b: { command = "/bin/true"; }; };' >"$T/conf.d/b.conf"
}

bad_include_of_itself() {
        echo '@include "supervisord.conf"' >"$T/supervisord.conf"
}

bad_missing() {
        rm -f "$T/supervisord.conf"
}

bad_many_findings() {
        cat >"$T/supervisord.conf" <<'CONF'
supervisor: {
        freeze_timeout = "5 parsecs";
};
daemons: {
        a: { command = [ "bin/true" ]; };
        b: { comand = [ "/bin/true" ]; };
        c: { command = [ "/bin/true" ]; umask = "999"; stop: { signals = "TREM 5s, KILL"; }; };
};
CONF
}
