#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is remembered: every sequence and every reload leaves a record, which is there for the next
# supervisord, whatever becomes of this one.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# notifier NAME ARGUMENTS [SETTINGS]
notifier() {
        echo "$1: { type = \"notify\"; command = [ \"$BIN/notifier\", $2 ]; ${3-} };"
}

# A further run.
start_again() {
        : >"$T/notify"
        start_ready
}

# record KIND EXPRESSION: what a Python expression makes of the records `r`, newest first, of
# "sequences" or "reloads".
record() {
        ctl 0 --json history "$1"
        python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
def daemon(record, name):
        return next(d for d in record["daemons"] if d["name"] == name)
print(eval("(" + sys.argv[2] + ")"))' "$T/out" "$2" || fail "cannot read: $(head -c 300 "$T/out")"
}

# expect_record KIND EXPRESSION VALUE
expect_record() {
        expect_equal "$(record "$1" "$2")" "$3" "$2 of the $1"
}

sequence() {
        expect_record sequences "$1" "$2"
}

reload() {
        expect_record reloads "$1" "$2"
}

me() {
        echo "uid $(id -u) (process"
}

case_a_stop_tells_who_was_forced() {
        programs slowdrain deaf sleep
        configure "db: { command = $(list "$BIN/sleep" 1000); };
                deaf: { command = $(list "$BIN/deaf" 0 "$T/deaf");
                        stop: { signals = \"TERM 300ms, KILL\"; }; };
                slow: { requires = [ \"db\" ]; freeze: { signal = \"USR1\"; };
                        drain: { until = \"exit\"; timeout = \"300ms\"; };
                        command = $(list "$BIN/slowdrain" -m 60000 -f "$T/mark"); };"
        start_ready
        wait_for 10 exists "$T/mark"
        wait_for 10 exists "$T/deaf"
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left

        start_again
        sequence 'len(r), [x["what"] for x in r]' \
                "(3, ['start of everything', 'stop of everything', 'start of everything'])"
        sequence 'r[1]["who"]' "SIGTERM from uid $(id -u) (process $$)"
        sequence 'r[1]["result"]' 'done'
        sequence 'sorted(r[1]["forced"])' "['deaf', 'slow']"
        sequence 'list(r[1]["phases"])' "['freeze', 'drain', 'cleanup']"
        sequence '[r[1]["phases"][p]["forced"] for p in r[1]["phases"]]' '[0, 1, 1]'
        sequence 'daemon(r[1], "slow")["drain"]["outcome"]' forced
        sequence '300000 <= daemon(r[1], "slow")["drain"]["end"] -
                daemon(r[1], "slow")["drain"]["begin"] < 10000000' True
        sequence 'daemon(r[1], "deaf")["drain"]["outcome"]' 'done'
        sequence 'daemon(r[1], "deaf")["cleanup"]["outcome"]' forced
        sequence '[(s["signal"], s["to"]) for s in daemon(r[1], "deaf")["signals"]]' \
                "[('TERM', 'main'), ('KILL', 'all')]"
        sequence '[s["signal"] for s in daemon(r[1], "slow")["signals"]][0]' USR1
        # who is needed comes after who needs it
        sequence 'daemon(r[1], "db")["cleanup"]["begin"] >= daemon(r[1], "slow")["cleanup"]["end"]' \
                True
        sequence 'daemon(r[1], "db")["cleanup"]["outcome"]' 'done'
        sequence 'r[1]["id"], r[0]["id"]' '(2, 3)'

        ctl 0 history
        expect said "^ +2  20..-..-.. ..:..:..  .* done  .* stop of everything \(3 daemons\), by SIGTERM"
        expect said '^ +forced: (deaf \(cleanup\), slow \(drain\)|slow \(drain\), deaf \(cleanup\))$'
        ctl 0 history -n 1
        expect_equal "$(wc -l <"$T/out")" 1 "the number of lines"
        ctl 2 history stops
        expect said_error "no history of 'stops'; write sequences or reloads"
        ctl 2 -n 0 history
        kill -TERM "$SUP"
        ended
}

case_a_request_is_remembered() {
        local begun
        programs sleep
        configure "web: { command = $(list "$BIN/sleep" 1000); requires = [ \"db\" ]; };
                db: { command = $(list "$BIN/sleep" 1000); };
                bad: { command = $(list "$BIN/sleep" never); restart: { policy = \"never\"; };
                        ready: { on = \"file\"; path = \"$T/never\"; }; };
                other: { command = $(list "$BIN/sleep" 1000); };"
        start_ready
        begun=$(date +%s)
        ctl 0 restart db
        ctl 1 start bad
        sequence 'r[0]["what"], r[1]["what"]' "('start of bad', 'restart of db')"
        sequence "r[1]['who'].startswith('$(me)')" True
        sequence '[d["name"] for d in r[1]["daemons"]]' "['web', 'db']"
        sequence 'daemon(r[1], "db")["start"]["outcome"]' 'done'
        sequence 'daemon(r[1], "db")["start"]["begin"] >= r[1]["phases"]["cleanup"]["end"]' True
        sequence 'daemon(r[1], "web")["start"]["begin"] >= daemon(r[1], "db")["start"]["end"]' True
        sequence "abs(r[1]['begin']['realtime'] / 1e6 - $begun) < 60" True
        sequence 'daemon(r[0], "bad")["start"]["outcome"]' failed
        sequence '"exited with status 1" in daemon(r[0], "bad")["reason"]' True
        sequence 'r[0]["forced"], "phases" in r[0]' '([], False)'
        ctl 0 history
        expect said '^ +not started: bad: .*exited with status 1'
        stop
}

case_reloads_are_remembered() {
        local client before
        programs notifier
        configure "$(notifier a '"-r", "1"') $(notifier b '"-r", "1"')"
        start_ready
        configure "$(notifier a '"-r", "2"') $(notifier b '"-r", "1"')"
        ctl 0 reload                                                          # applied
        echo '{{{' >"$T/supervisord.conf"
        ctl 1 reload                                                          # refused
        configure "$(notifier a '"-n"' 'ready: { timeout = "300ms"; };') $(notifier c '"-r", "1"')"
        ctl 1 reload                                                          # rolled back
        configure "$(notifier a '"-r", "2"') $(notifier b '"-r", "1"')"
        kill -HUP "$SUP"                                                      # nothing changed
        wait_for 20 logged 'reload nothing-changed'
        before=$(log_count 'a: starting, process')
        configure "$(notifier a '"-n"') $(notifier b '"-r", "1"')"
        "$SUPERVISORCTL" -s "$T/run/control" reload >"$T/out" 2>"$T/err" &    # canceled
        client=$!
        wait_for 20 eval "[ \$(log_count 'a: starting, process') -gt $before ]"
        kill -TERM "$SUP"
        ended
        wait "$client"
        expect_nothing_left

        configure "$(notifier a '"-r", "2"') $(notifier b '"-r", "1"')"
        start_again
        reload '[x["verdict"] for x in r]' \
                "['canceled', 'nothing-changed', 'rolled-back', 'refused', 'applied']"
        reload 'r[1]["who"]' "SIGHUP from uid $(id -u) (process $$)"
        reload "r[4]['who'].startswith('$(me)')" True
        reload '[(p["name"], p["action"]) for p in r[4]["plan"]]' "[('a', 'restart')]"
        reload '"command" in r[4]["plan"][0]["reason"], r[4]["kept"]' '(True, 1)'
        reload '[(s["name"], s["outcome"]) for s in r[4]["steps"]]' \
                "[('check', 'done'), ('stop', 'done'), ('start', 'done')]"
        reload 'r[4]["before"]["digest"] != r[4]["after"]["digest"]' True
        reload 'r[4]["after"] == r[3]["before"] == r[1]["before"]' True
        reload 'r[4]["before"]["loaded"] < r[4]["after"]["loaded"] < r[4]["end"]["realtime"]' True
        reload '[(s["name"], s["outcome"]) for s in r[3]["steps"]], "after" in r[3]' \
                "([('check', 'failed')], False)"
        reload '"supervisord.conf" in r[3]["findings"][0]' True
        reload '[(s["name"], s["outcome"]) for s in r[2]["steps"]]' \
                "[('check', 'done'), ('stop', 'done'), ('start', 'failed'), ('undo-stop', 'done'), ('undo-start', 'done')]"
        reload 'sorted((p["name"], p["action"]) for p in r[2]["plan"])' \
                "[('a', 'restart'), ('b', 'stop'), ('c', 'start')]"
        reload 'r[1]["kept"], r[1]["plan"]' '(2, [])'
        reload '[(s["name"], s["outcome"]) for s in r[0]["steps"]][-1]' "('start', 'canceled')"
        reload 'r[0]["text"]' 'a stop broke in'
        # a step names the record of its sequence
        ctl 0 --json history reloads
        cp "$T/out" "$T/reloads"
        sequence "next(x for x in r if x['id'] == next(s for s in
                json.load(open('$T/reloads'))[4]['steps'] if s['name'] == 'stop')['sequence'])['what']" \
                reload
        # of the stop that broke in, and of what it broke off
        sequence '[(x["what"], x["result"]) for x in r[1:3]]' \
                "[('stop of everything', 'done'), ('reload', 'canceled')]"

        ctl 0 history reloads
        expect said '^ +1  .* applied  .*1 restarted.*, by uid'
        expect said '^ +restart a: command'
        expect said 'refused'
        stop
}

# All that can be wrong with what lies there: it is left out, and the numbers go on.
case_garbage_is_left_out() {
        local records=$T/state/records i
        programs sleep
        configure "a: { command = $(list "$BIN/sleep" 1000); };"
        start_ready
        ctl 0 restart a
        stop
        expect_equal "$(stat -c %a "$records")" 700 "the mode of the directory"
        echo '{"kind":"sequ' >"$records/sequence-000000000000002.json"
        head -c 10000 /dev/urandom >"$records/sequence-000000000000004.json"
        echo '{"kind":"sequence","id":5}' >"$records/sequence-000000000000005.json"
        ln -s /etc/passwd "$records/sequence-000000000000006.json"
        mkfifo "$records/sequence-000000000000007.json"
        truncate -s 100M "$records/sequence-000000000000008.json"
        : >"$records/sequence-000000000000009.json.new"
        : >"$records/README"
        start_again
        sequence '[x["id"] for x in r]' '[9, 5, 3, 1]'
        expect logged 'records/sequence-000000000000002.json is no record'
        expect_equal "$(log_count 'is no record that supervisord wrote')" 5 "the number of warnings"
        ctl 0 history
        expect_equal "$(log_count 'is no record that supervisord wrote')" 5 "the number of warnings"
        expect is_gone "$records/sequence-000000000000009.json.new"
        expect exists "$records/README"

        # only so many are kept
        for ((i = 0; i < 40; i++)); do
                ctl 0 restart a
        done
        sequence 'len(r), r[0]["id"], r[-1]["id"]' '(32, 49, 18)'
        expect_equal "$(find "$records" -name 'sequence-*' | wc -l)" 32 "the number of files"
        stop
}

case_without_a_state_directory_they_are_known_for_a_while() {
        programs sleep
        echo "in the way" >"$T/state"
        configure "a: { command = $(list "$BIN/sleep" 1000); };"
        start_ready
        expect_equal "$(log_count 'cannot use the state directory')" 1 "the number of warnings"
        ctl 0 restart a
        sequence '[x["what"] for x in r]' "['restart of a', 'start of everything']"
        stop
        start_again
        sequence '[x["what"] for x in r]' "['start of everything']"
        stop
}

# Killed in the middle of it: no half of a record, and the next one goes on.
case_a_killed_supervisord_leaves_no_broken_file() {
        local i left
        programs sleep
        configure "a: { command = $(list "$BIN/sleep" 1000); stop: { signals = \"TERM\"; }; };"
        for ((i = 0; i < 5; i++)); do
                start_again
                ctl 0 --no-wait restart a
                ctl 0 --no-wait restart a
                sleep "0.0$((i * 2))"
                kill -KILL "$SUP"
                wait "$SUP" 2>/dev/null
                SUP=
                kill_all
                rm -rf "$T/run"
        done
        start_again
        sequence 'r[0]["what"], len(r) >= 6' "('start of everything', True)"
        expect_not logged 'is no record'
        left=$(find "$T/state/records" -name '*.new')
        expect_equal "$left" "" "what is half-written"
        sequence '[x["id"] for x in r] == sorted((x["id"] for x in r), reverse=True)' True
        stop
}

run_cases "$@"
