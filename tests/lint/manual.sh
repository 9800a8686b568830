#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manual: every setting with its default and what a change of it takes, every option, command
# and signal, and nothing that is not. The completions know the same commands and options. Every
# profile is in the table of daemons.

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

# The lists of settings below the items of that section, a line "PATH EFFECT" for each.
effects_of_manual() {
        sed -e :a -e '/\\$/{N;s/\\\n//;ba}' man/supervisord.conf.5 |
                awk '/^\.Sh / { inside = $0 == ".Sh WHAT A RELOAD DOES" }
                        inside && /^\.It Sy / { effect = $NF == "live" ? "live" : "restart"; next }
                        inside && effect != "" && /^\.Cm .* , / {
                                for (i = 2; i <= NF; i++) if ($i != ",") print $i, effect }'
}

same "what a change of every setting takes is in the manual" \
        "$("$BUILD_DIR/tests/lint/tables" effects)" "$(effects_of_manual)" \
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

help=$("$BUILD_DIR/supervisorctl/supervisorctl" --help)
manual=man/supervisorctl.8
options=$(sed '1,/^Commands:/d' <<<"$help" | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' |
        grep -oE -- '--?[A-Za-z][a-z-]*' | sort -u)
# The help leaves out the words that are there for people who know another supervisor.
commands=$({
        sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p' <<<"$help"
        printf '%s\n' update reread
} | sort -u)

same "every command of supervisorctl is in the manual" "$commands" \
        "$(section COMMANDS | sed -nE 's/^\.It Cm ([a-z]+( , [a-z]+)*).*/\1/p' |
                sed 's/ , /\n/g')" \
        --help "$manual"
same "every option of supervisorctl is in the manual" "$options" \
        "$(section DESCRIPTION | grep '^\.It Fl' | grep -oE 'Fl (Fl )?[A-Za-z-]+' |
                sed 's/^Fl Fl /--/; s/^Fl /-/' | sort -u)" --help "$manual"
same "every exit status of supervisorctl is in the manual" \
        "$(sed -n '/^Exit status/,$p' <<<"$help" | grep -oE '(: |, |^)[0-9]+ ' | tr -dc '0-9\n')" \
        "$(section 'EXIT STATUS' | sed -nE 's/^\.It (Li )?([0-9]+)$/\2/p')" --help "$manual"

for file in completions/supervisorctl.bash completions/_supervisorctl; do
        for word in $commands $(grep -e -- <<<"$options"); do
                grep -qE -e "(^|[^a-z-])$word([^a-z-]|$)" "$file" ||
                        echo "$word is missing in $file"
        done
done | lint_check "the completions know every command and option"

# What is not tried is not shipped.
for file in conf/profiles/*.conf; do
        name=$(basename "$file" .conf)
        grep -qE "^\| $name \|" doc/DAEMONS.md || echo "$name has no row in doc/DAEMONS.md"
        grep -qE "x_starts $name( |$)" tests/integration/*.sh ||
                echo "$name has no case in tests/integration"
done | lint_check "every profile was tried"

lint_end
