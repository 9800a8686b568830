#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Form: what needs no reader to be seen.

. "$(dirname "$0")/lint.bash"

mapfile -t code < <(lint_files '*.[ch]')
mapfile -t scripts < <(lint_scripts; lint_files '*.awk'; lint_files '*.bash'; lint_files '*.py')
build=(configure.ac Makefile.am supervisord/sys/sys.am tests/tests.am tests/daemons/daemons.am m4/*.m4)

# A shebang may stand above it.
for file in "${code[@]}" "${scripts[@]}" "${build[@]}"; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' ||
                echo "$file: no SPDX-License-Identifier at its top"
done | lint_check "each source names its licence"

grep -nP '\t' "${code[@]}" "${scripts[@]}" configure.ac m4/*.m4 | lint_check "no tabs"
grep -nE '[[:space:]]+$' "${code[@]}" "${scripts[@]}" "${build[@]}" | lint_check "no blanks at the end of a line"
grep -nE '^.{101}' "${code[@]}" | lint_check "at most 100 columns of code"

wc -l "${code[@]}" "${scripts[@]}" "${build[@]}" |
        awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }' | lint_check "at most 500 lines"

for file in "${code[@]}" "${scripts[@]}" "${build[@]}"; do
        [ -z "$(tail -c 1 "$file")" ] || echo "$file"
done | lint_check "each file ends with a newline"

grep -nE '\b(TODO|FIXME|XXX)\b' "${code[@]}" "${scripts[@]}" | grep -v '^tests/lint/form.sh:' |
        lint_check "nothing is left to do"

lint_end
