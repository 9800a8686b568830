#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manual: every setting with its default, every option, every signal, and nothing that is not.

. "$(dirname "$0")/lint.bash"
lint_build

# same TITLE LEFT RIGHT FILE-OF-LEFT FILE-OF-RIGHT: two lists of lines are equal.
same() {
        diff <(sort <<<"$2") <(sort <<<"$3") | sed -n "s|^< |in $4 only: |p; s|^> |in $5 only: |p" |
                lint_check "$1"
}

# A setting stands as ".It Cm PATH No = …", several as ".It Cm PATH , PATH No = …"; its default is
# at the end as "Pq Qq VALUE" or "Pq Li VALUE".
settings_of_manual() {
        sed -e :a -e '/\\$/{N;s/\\\n//;ba}' man/supervisord.conf.5 |
                sed -nE 's/^\.It Cm (.*) No = (.* )?Pq (Qq|Li) (.*)$/\1 = \4/p; t; s/^\.It Cm (.*) No = .*$/\1/p' |
                awk -F ' = ' '{ count = split($1, names, / , /)
                        for (i = 1; i <= count; i++) print names[i] ($2 == "" ? "" : " " $2) }'
}

same "every setting and its default is in the manual" \
        "$("$BUILD_DIR/tests/lint/tables" settings)" "$(settings_of_manual)" \
        supervisord/config/schema.c man/supervisord.conf.5

help=$("$BUILD_DIR/supervisord/supervisord" --help)
manual=man/supervisord.8

# The section of the manual with that title.
section() {
        awk -v title=".Sh $1" '/^\.Sh / { inside = $0 == title } inside' "$manual"
}

same "every signal of --help is in the manual" \
        "$(grep -oE '\bSIG[A-Z0-9]+' <<<"$help" | sort -u)" \
        "$(section SIGNALS | grep '^\.It' | grep -oE '\bSIG[A-Z0-9]+' | sort -u)" --help "$manual"
same "every option of --help is in the manual" \
        "$(grep -oE '(^|[ ,])--?[A-Za-z][a-z-]*' <<<"$help" | tr -d ' ,' | sort -u)" \
        "$(section DESCRIPTION | grep '^\.It Fl' | grep -oE 'Fl (Fl )?[A-Za-z-]+' |
                sed 's/^Fl Fl /--/; s/^Fl /-/' | sort -u)" --help "$manual"
same "every exit status of --help is in the manual" \
        "$(sed -nE '/^Exit status/,/^$/s/^ +([0-9]+) .*/\1/p' <<<"$help")" \
        "$(section 'EXIT STATUS' | sed -nE 's/^\.It (Li )?([0-9]+)$/\2/p')" --help "$manual"

lint_end
