#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tests/daemons/README.md names is there: programs, their options, and the cases.

. "$(dirname "$0")/lint.bash"

table=tests/daemons/README.md

# `program` or `illbred option=value`, in the third column.
grep '^|' "$table" | cut -d'|' -f4 | grep -o '`[^`]*`' | tr -d '`' | sort -u |
        while read -r program option; do
                [ -e "tests/daemons/$program.c" ] || echo "no program $program"
                [ -z "$option" ] || grep -q "{ \"${option%%=*}\", KIND_" \
                        "tests/daemons/${program}_options.c" || echo "$program: no option $option"
        done | lint_check "every program and option of the classes is there"

# `script.sh case`, in the fourth.
grep '^|' "$table" | cut -d'|' -f5 | grep -o '`[^`]*`' | tr -d '`' | sort -u |
        while read -r script name; do
                grep -qs "^case_$name() {" "tests/process/$script" || echo "no case $script $name"
        done | lint_check "every case of the classes is there"

sed -n 's/^case_\([a-z0-9_]*\)() {.*/\1/p' tests/process/classes.sh |
        while read -r name; do
                grep -q "\`classes.sh $name\`" "$table" || echo "case $name has no class"
        done | lint_check "every case of classes.sh has a class"

for row in {A..N} {1..11}; do
        grep -q "^| $row |" "$table" || echo "no row $row"
done | lint_check "every class and lesson has a row"

lint_end
