# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Completion of supervisorctl(8) for bash. The names of the daemons come from the supervisor that
# the command line is about; while none answers there are none.

# The words of the command line that say which supervisor is meant go into the array `socket`, the
# command and what follows it into `words_of_command`.
_supervisorctl_split() {
        local i word

        socket=() words_of_command=()
        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case $word in
                -s | --socket | -c | --config)
                        # bash takes --socket=PATH for three words
                        [ "${COMP_WORDS[i + 1]-}" != = ] || i=$((i + 1))
                        i=$((i + 1))
                        [ $i -ge "$COMP_CWORD" ] || socket+=("$word" "${COMP_WORDS[i]/#\~/$HOME}")
                        ;;
                --timeout | -n | --number)
                        [ "${COMP_WORDS[i + 1]-}" != = ] || i=$((i + 1))
                        i=$((i + 1))
                        ;;
                -*) ;;
                *) words_of_command+=("$word") ;;
                esac
        done
}

_supervisorctl_daemons() {
        "${COMP_WORDS[0]/#\~/$HOME}" ${socket[@]+"${socket[@]}"} avail 2>/dev/null
}

_supervisorctl_signals() {
        compgen -A signal | sed -n 's/^SIG//p'
}

# What the word that is being written may be, a line each.
_supervisorctl_candidates() {
        local count=${#words_of_command[@]}

        case $1 in
        -*)
                printf '%s\n' --socket --config --json --number --no-wait --now-only --timeout --help \
                        --version
                return
                ;;
        esac
        if [ "$count" -eq 0 ]; then
                printf '%s\n' status start stop restart drain freeze thaw signal pid reload plan \
                        check history tail profiles shutdown version update reread avail
                return
        fi
        case ${words_of_command[0]} in
        status | start | stop | restart | drain | freeze | thaw | pid | reload | tail)
                _supervisorctl_daemons
                echo all
                ;;
        signal)
                if [ "$count" -eq 1 ]; then
                        _supervisorctl_signals
                else
                        _supervisorctl_daemons
                        echo all
                fi
                ;;
        history) [ "$count" -gt 1 ] || printf '%s\n' sequences reloads ;;
        esac
}

_supervisorctl() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
        local candidate
        local -a socket words_of_command

        if [ "$previous" = = ]; then
                previous=${COMP_WORDS[COMP_CWORD - 2]}
        elif [ "$current" = = ]; then
                current=
        fi
        case $previous in
        -s | --socket | -c | --config)
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
                return
                ;;
        --timeout | -n | --number)
                COMPREPLY=()
                return
                ;;
        esac

        # not by compgen -W: it would expand what it reads
        _supervisorctl_split
        COMPREPLY=()
        while read -r candidate; do
                [[ $candidate != "$current"* ]] || COMPREPLY+=("$candidate")
        done < <(_supervisorctl_candidates "$current")
}

complete -F _supervisorctl supervisorctl
