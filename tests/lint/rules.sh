#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which part may use what: libraries, errno, the log, the world outside.

. "$(dirname "$0")/lint.bash"
lint_build

# includes_only HEADER FILE…: who else includes it.
includes_only() {
        local header=$1 allowed
        shift
        allowed=$(printf '%s|' "$@")
        grep -rnE "#[[:space:]]*include[[:space:]]*[<\"]${header}[>\"]" supervisord supervisorctl |
                grep -vE "^(${allowed%|}):"
}

includes_only 'systemd/sd-event\.h' 'supervisord/sys/loop\.c' 'supervisorctl/wait\.c' |
        lint_check "sd-event in sys/loop.c and in the waiting of supervisorctl only"
includes_only 'systemd/sd-bus\.h' 'supervisord/control/[a-z_]+\.[ch]' \
        'supervisorctl/[a-z_]+\.[ch]' | lint_check "sd-bus in control and supervisorctl only"
includes_only 'jansson\.h' 'supervisorctl/[a-z_]+\.[ch]' 'supervisord/service/record_text\.c' |
        lint_check "jansson in supervisorctl and service/record_text.c only"
includes_only 'systemd/sd-journal\.h' 'supervisord/base/log\.c' \
        'supervisord/sys/(follow_)?journal\.c' |
        lint_check "sd-journal in base/log.c, sys/journal.c and sys/follow_journal.c only"
includes_only 'systemd/sd-daemon\.h' 'supervisord/sys/[a-z_]+\.c' | lint_check "sd-daemon in sys only"
includes_only 'libconfig\.h' 'supervisord/config/read[a-z_]*\.[ch]' |
        lint_check "libconfig in the reader only"

# in_code PATTERN: its matches in the files that are named on stdin, but for lines of comment.
in_code() {
        xargs -d '\n' grep -nHE "(^|[^>._[:alnum:]])$1" /dev/null |
                grep -vE '^[^:]+:[0-9]+:[[:space:]]*(/?\*|#include)'
}

lint_files '*.[ch]' supervisord | grep -vE '^supervisord/(base|sys)/' | in_code 'errno\b' |
        lint_check "errno is read in base and sys only"
lint_files '*.c' supervisord/{base,config,model,sys} | in_code 'log_(error|warning|notice|info)\(' |
        lint_check "base, config, model and sys log at debug level at most"
lint_files '*.c' supervisord | grep -v '^supervisord/sys/spawn' |
        in_code '(fork|vfork|clone|clone3|execve?|execvp|posix_spawn|system|popen|daemon)\(' |
        lint_check "processes are made in sys/spawn only"
lint_files '*.c' supervisord |
        in_code '(u?sleep|(clock_)?nanosleep|pthread_[a-z_]+|signal|alarm|setitimer)\(' |
        lint_check "no sleeping, no threads, no signal(2)"
lint_files '*.c' | in_code '(gets|strtok|mktemp|tmpnam|alloca)\(' |
        lint_check "nothing that nobody should use"
# "1 daemons": PLURAL() in base/macro.h.
nouns='daemons|errors|findings|processes|orphans|warnings'
lint_files '*.c' supervisord supervisorctl |
        xargs -d '\n' grep -nE "%(z|l|ll)?[ud] ([a-z]+ )?($nouns)\b" |
        grep -v '%d errors or more' |
        lint_check "a number does not stand before a fixed plural"

# Pure: what the objects of the model call, beyond the model itself, is memory, strings and the pure
# part of config and base.
impure='clock_|time$|gettimeofday|log_|file_|fd_|open|read$|write$|fopen|fputs|fprintf|printf$|puts$|vfprintf'
impure="$impure|getpid|kill|fork|exec|wait|sd_|config_read|config_load|config_check|config_dump|diag_"
nm -A --undefined-only "$BUILD_DIR/supervisord/libmodel.a" | grep -E " U (__)?($impure)" |
        lint_check "the model is pure"

lint_end
