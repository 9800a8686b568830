#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Messages: each has a text in the catalog, each text has its message, each is sent by somebody.

. "$(dirname "$0")/lint.bash"
lint_build

catalog=catalog/supervisord.catalog
messages=$("$BUILD_DIR/tests/lint/tables" messages)
ids=$(cut -d ' ' -f 1 <<<"$messages")

grep -nvE '^[0-9a-f]{32} [A-Z_]+$' <<<"$messages" | lint_check "each message has an id of 32 digits"
sort <<<"$ids" | uniq -d | lint_check "no id is used twice"

while read -r id name; do
        grep -qx -e "-- $id" "$catalog" || echo "$name, $id"
done <<<"$messages" | lint_check "each message is in the catalog"

sed -nE 's/^-- *//p' "$catalog" | while read -r id; do
        grep -qx "$id" <<<"$ids" || echo "$id"
done | lint_check "each text of the catalog has its message"

awk '/^-- / { if (id != "" && !subject) print id ": no Subject:"; id = $2; subject = 0 }
        /^Subject: ./ { subject = 1 }
        END { if (!subject) print id ": no Subject:" }' "$catalog" | lint_check "each text has a subject"

while read -r _ name; do
        grep -rqw "MESSAGE_$name" supervisord --include='*.c' --exclude=message.c || echo "MESSAGE_$name"
done <<<"$messages" | lint_check "each message is sent"

lint_end
