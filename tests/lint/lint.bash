# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the lints share. A lint sources this, stands at the top of the source tree then, and hands
# the findings of each check to lint_check(): a check without findings is good.

set -uo pipefail
shopt -s nullglob lastpipe # lastpipe: lint_check counts at the end of a pipe
export LC_ALL=C.UTF-8

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

lint_tests=0
lint_failed=0

# lint_check TITLE: findings come on stdin, a line each.
lint_check() {
        local findings
        findings=$(cat)
        lint_tests=$((lint_tests + 1))
        if [ -z "$findings" ]; then
                printf 'ok %d - %s\n' $lint_tests "$1"
                return
        fi
        lint_failed=$((lint_failed + 1))
        printf 'not ok %d - %s\n' $lint_tests "$1"
        printf '%s\n' "$findings" | sed 's/^/# /'
}

# lint_skip TITLE REASON
lint_skip() {
        lint_tests=$((lint_tests + 1))
        printf 'ok %d - %s # SKIP %s\n' $lint_tests "$1" "$2"
}

lint_end() {
        printf '1..%d\n' $lint_tests
        [ $lint_failed -eq 0 ]
}

# The files of the project below the given folders (default: all) whose names match; nothing that
# was generated or built.
lint_files() {
        local pattern=$1
        shift
        [ $# -gt 0 ] || set -- .
        find "$@" \( -name .git -o -path './build*' -o -name autom4te.cache \) -prune -o \
                -type f -name "$pattern" ! -name '*~' ! -name configure -print |
                sed 's|^\./||' | sort
}

lint_scripts() {
        lint_files '*' | xargs -d '\n' awk 'FNR == 1 { if (/^#!.*[\/ ](ba)?sh$/) print FILENAME; nextfile }'
}

# The build whose libraries and programs are looked at.
lint_build() {
        [ -n "${BUILD_DIR-}" ] && [ -e "$BUILD_DIR/Makefile" ] && return
        echo "Bail out! BUILD_DIR names no build"
        exit 1
}
