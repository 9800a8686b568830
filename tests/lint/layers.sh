#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Layers: a folder includes its own files and those of the layers that it stands on, and its library
# links with theirs alone. The link takes whole archives, since a plain one hides upward calls.

. "$(dirname "$0")/lint.bash"
lint_build

# What each layer stands on, from the ground up; the same table as in doc/ARCHITECTURE.md.
layers=(base config model sys child service control)
declare -A below=(
        [base]=""
        [config]="base"
        [model]="config base"
        [sys]="base"
        [child]="sys model config base"
        [service]="child sys model config base"
        [control]="service child sys model config base"
)

foreign_includes() {
        local layer=$1 others
        others=$(printf '%s|' "$layer" ${below[$layer]})
        grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "supervisord/$layer"/*.[ch] |
                grep -vE "\"(${others%|})/[a-z_0-9]+\.h\"|\"[a-z_0-9]+\.inc\""
}

# Records are JSON, from service/record_text.c on; nothing below it has the library.
declare -A further=([service]=jansson [control]=jansson)

# Prints what is undefined in the libraries of a layer and those below it.
undefined_symbols() {
        local layer=$1 part archives=() libraries
        for part in "$layer" ${below[$layer]}; do
                archives+=("$BUILD_DIR/supervisord/lib$part.a")
        done
        mapfile -t libraries < <(pkg-config --libs libsystemd libconfig ${further[$layer]-} |
                tr ' ' '\n' | grep .)
        echo 'int main(void) { return 0; }' |
                ${CC:-cc} -x c - -x none -o /dev/null -Wl,--whole-archive "${archives[@]}" \
                        -Wl,--no-whole-archive "${libraries[@]}" 2>&1
}

for layer in "${layers[@]}"; do
        foreign_includes "$layer" | lint_check "$layer includes nothing from above"
        undefined_symbols "$layer" | lint_check "$layer links with what is below it alone"
done

# The client knows the words of the bus and reads the configuration; it is no part of supervisord.
grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' supervisorctl/*.[ch] |
        grep -vE '"((base|config)/[a-z_0-9]+|control/names|[a-z_]+)\.h"' |
        lint_check "supervisorctl includes base, config and the words of the bus alone"

for folder in supervisord/*/; do
        folder=$(basename "$folder")
        [ -n "${below[$folder]+known}" ] || echo "supervisord/$folder is no layer"
done | lint_check "every folder is a layer"

lint_end
