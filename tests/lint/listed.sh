#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Makefile knows every file: a source that it does not list is neither built nor in the tarball.

. "$(dirname "$0")/lint.bash"

listed=$(cat Makefile.am supervisord/sys/sys.am tests/tests.am tests/daemons/daemons.am | tr -s ' \t\\' '\n')

is_listed() {
        grep -qxF -e "$1" <<<"$listed"
}

# A program of one source is listed by its name alone.
for file in $(lint_files '*.[ch]' supervisord supervisorctl tests demo bench); do
        is_listed "$file" || is_listed "${file%.c}" || echo "$file"
done | lint_check "every source is listed"

# In the tarball: listed itself, as the template of what is listed, or in a folder that is listed.
for file in $(lint_files '*' catalog completions conf demo doc man tests units bench); do
        case $file in *.[ch] | *.am) continue ;; esac
        is_listed "$file" || is_listed "${file%.in}" && continue
        folder=$(dirname "$file")
        while [ "$folder" != . ] && ! is_listed "$folder"; do folder=$(dirname "$folder"); done
        [ "$folder" != . ] || echo "$file"
done | lint_check "every other file is listed or in a folder that is"

for file in $(grep -E '^[a-z]+/[A-Za-z0-9_/@.-]+\.[a-z0-9]+$' <<<"$listed" | grep -v '\.a$'); do
        [ -e "$file" ] || [ -e "$file.in" ] || echo "$file"
done | lint_check "every file that is listed is there"

lint_end
