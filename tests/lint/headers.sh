#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Headers: each compiles alone, none is part of a cycle, each source includes its own one first.

. "$(dirname "$0")/lint.bash"

mapfile -t headers < <(lint_files '*.h' supervisord supervisorctl tests demo bench)
mapfile -t libraries < <(pkg-config --cflags libsystemd libconfig jansson check |
        tr ' ' '\n' | grep .)

for header in "${headers[@]}"; do
        printf '#include "%s"\n' "$PWD/$header" |
                ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -DSYSCONFDIR='"/etc"' -DPACKAGE_VERSION='"0"' \
                        -Wall -Wextra -Werror -fsyntax-only \
                        -iquote supervisord -iquote supervisorctl -iquote tests \
                        "${libraries[@]}" -x c - 2>&1
done | lint_check "each header compiles alone"

for header in "${headers[@]}"; do
        grep -qx '#pragma once' "$header" || echo "$header: no #pragma once"
done | lint_check "each header has #pragma once"

# An edge per include; a header of supervisord/ is named from there.
for header in $(lint_files '*.h' supervisord); do
        sed -nE "s|^#include \"([^\"]+)\".*|${header#supervisord/} \1|p" "$header"
done | tsort 2>&1 >/dev/null | lint_check "no cycle of includes"

for source in $(lint_files '*.c' supervisord); do
        own=${source#supervisord/}
        own=${own%.c}.h
        [ -e "supervisord/$own" ] || continue
        first=$(grep -m1 '^#include' "$source")
        [ "$first" = "#include \"$own\"" ] || echo "$source: includes $first first"
done | lint_check "each source includes its own header first"

lint_end
