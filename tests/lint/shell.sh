#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Shell scripts, seen by shellcheck.

. "$(dirname "$0")/lint.bash"

mapfile -t scripts < <(lint_scripts)

if command -v shellcheck >/dev/null; then
        printf '%s\n' "${scripts[@]}" | xargs -d '\n' -P "$(nproc)" -n 4 \
                shellcheck -x -S warning | lint_check "shellcheck finds nothing"
else
        lint_skip "shellcheck finds nothing" "shellcheck is not installed"
fi

for script in "${scripts[@]}"; do
        [ -x "$script" ] || echo "$script: not executable"
done | lint_check "scripts are executable"

lint_end
