# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For test scripts: a script defines functions case_NAME, sources this file, and calls
# `run_cases "$@"` as its last line. Each case runs in a process of its own (the script once more,
# with --case), under a time limit, and once for each word that the function `variants` prints, if
# there is one. The result is TAP on stdout. If they are there, these functions are called as well:
# `bail_out` once at the beginning (it may end the script), `set_up` before each case, in its
# process, and `sweep` after each case, outside of it, however it ended. Each case has a $CASE_ID
# of its own.
#
# A script whose cases do not disturb each other may set LANES: so many of them run side by side.
#
# Arguments: [-v] [NAME…]. Only the named cases run; -v shows what cases print that pass, too.

set -u

# Seconds that one case may take.
CASE_LIMIT=${CASE_LIMIT:-120}

# Between two looks at something.
pause() {
        sleep 0.02
}

diag() {
        printf '# %s\n' "$*"
}

fail() {
        diag "failed: $*"
        exit 1
}

skip() {
        printf 'skipped: %s\n' "$*"
        exit 77
}

# wait_for SECONDS COMMAND…: polls until the command succeeds.
wait_for() {
        local limit=$1 end=$((SECONDS + $1 + 1))
        shift
        until "$@"; do
                [ "$SECONDS" -lt "$end" ] || fail "waited $limit s for: $*"
                pause
        done
}

# holds SECONDS COMMAND…: the command succeeds all that time.
holds() {
        local end=$(($(now_ms) + $1 * 1000)) limit=$1
        shift
        while [ "$(now_ms)" -lt "$end" ]; do
                "$@" || fail "does not hold for $limit s: $*"
                pause
        done
}

expect() {
        "$@" || fail "expected: $*"
}

expect_not() {
        ! "$@" || fail "not expected: $*"
}

expect_equal() {
        [ "$1" = "$2" ] || fail "${3:-value} is '$1', expected '$2'"
}

exists() {
        [ -e "$1" ]
}

is_gone() {
        [ ! -e "$1" ] && [ ! -L "$1" ]
}

is_running() {
        local state
        state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
        [ -n "$state" ] && [ "$state" != Z ]
}

has_ended() {
        ! is_running "$1"
}

# The words as an array of a configuration.
list() {
        local word text=
        for word in "$@"; do
                word=${word//\\/\\\\}
                text+="${text:+, }\"${word//\"/\\\"}\""
        done
        printf '[ %s ]' "$text"
}

# Milliseconds since some moment.
now_ms() {
        local stamp=${EPOCHREALTIME/[.,]/}
        echo "${stamp%???}"
}

# Runs one case with its output in a file; counts and prints it.
cases_run_one() {
        local name=$1 variant=$2 status title
        title=${name//_/ }${variant:+, $variant}
        cases_count=$((cases_count + 1))
        export CASE_ID=$$.$cases_count
        timeout -k 20 "$CASE_LIMIT" bash "$0" --case "$name" "$variant" \
                >"$cases_output" 2>&1 </dev/null &
        cases_child=$!
        wait "$cases_child"
        status=$?
        cases_child=
        cases_sweep
        case $status in
        0)
                echo "ok $cases_count - $title"
                ;;
        77)
                echo "ok $cases_count - $title # SKIP $(sed -n 's/^skipped: //p' "$cases_output")"
                return
                ;;
        *)
                cases_failed=$((cases_failed + 1))
                echo "not ok $cases_count - $title"
                [ "$status" -lt 124 ] || echo "# status $status: did not end within its time limit"
                ;;
        esac
        if [ "$status" -ne 0 ] || [ "$cases_verbose" = 1 ]; then
                tail -n 60 "$cases_output" | sed 's/^\(# \)\?/# /'
        else
                grep '^# ' "$cases_output"
        fi
}

# The same in a process of its own, with its output in files.
cases_run_beside() {
        (
                cases_output=$cases_directory/$cases_count.output
                cases_child=
                cases_failed=0
                trap '[ -z "$cases_child" ] || kill -TERM "$cases_child"; wait; exit 143' TERM INT
                cases_run_one "$1" "$2" >"$cases_directory/$cases_count.tap"
                exit $cases_failed
        ) &
        cases_beside[$!]=$cases_count
        cases_count=$((cases_count + 1))
}

# Until less than so many run.
cases_wait_for_lane() {
        local pid
        while [ ${#cases_beside[@]} -ge "$1" ] && [ ${#cases_beside[@]} -gt 0 ]; do
                wait -n -p pid "${!cases_beside[@]}" || cases_failed=$((cases_failed + 1))
                unset "cases_beside[$pid]"
        done
}

cases_sweep() {
        ! declare -F sweep >/dev/null || sweep
}

cases_end() {
        if [ -n "$cases_child" ]; then
                kill -TERM "$cases_child" 2>/dev/null
                wait "$cases_child"
                cases_sweep
        fi
        if [ ${#cases_beside[@]} -gt 0 ]; then
                kill -TERM "${!cases_beside[@]}" 2>/dev/null
                wait
        fi
        rm -f "$cases_output"
        rm -rf "$cases_directory"
}

run_cases() {
        local name names variant
        if [ "${1-}" = --case ]; then
                variant=$3
                export VARIANT=$variant
                declare -F "case_$2" >/dev/null || fail "there is no such case"
                if declare -F set_up >/dev/null; then
                        set_up
                fi
                "case_$2"
                exit 0
        fi

        cases_verbose=0
        if [ "${1-}" = -v ]; then
                cases_verbose=1
                shift
        fi
        names=$*
        [ -n "$names" ] || names=$(sed -n 's/^case_\([a-z0-9_]*\)().*/\1/p' "$0")
        if declare -F bail_out >/dev/null; then
                bail_out
        fi
        cases_count=0
        cases_failed=0
        cases_child=
        cases_beside=()
        cases_output=$(mktemp)
        cases_directory=$(mktemp -d)
        trap cases_end EXIT
        trap 'exit 143' TERM INT
        for name in $names; do
                for variant in $(declare -F variants >/dev/null && variants "$name" || echo -); do
                        if [ "${LANES-1}" -gt 1 ]; then
                                cases_wait_for_lane "$LANES"
                                cases_run_beside "$name" "${variant#-}"
                        else
                                cases_run_one "$name" "${variant#-}"
                        fi
                done
        done
        cases_wait_for_lane 1
        for ((name = 0; name < cases_count; name++)); do
                cat "$cases_directory/$name.tap" 2>/dev/null
        done
        echo "1..$cases_count"
        [ "$cases_failed" = 0 ]
}

# Daemons of which nothing is said are simple ones here: ready at once. On the same line, since
# findings name lines.
with_types() {
        awk 'BEGIN { RS = "\001" }
        {
                text = $0; depth = 0; quoted = 0; group = ""
                for (i = 1; i <= length(text); i++) {
                        c = substr(text, i, 1)
                        if (c == "\"" && substr(text, i - 1, 1) != "\\") quoted = !quoted
                        if (depth == 0) { printf "%s", c; group = "" } else group = group c
                        if (c == "{" && !quoted) depth++
                        if (c == "}" && !quoted && --depth == 0) {
                                if (group !~ /(^|[^a-z_.])(type|profile) *=/)
                                        printf " type = \"simple\";"
                                printf "%s", group
                        }
                        if (depth == 0 && c == "}") group = ""
                }
                if (depth > 0) printf "%s", group
        }' <<<"$1"
}
