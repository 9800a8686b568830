# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Counts the TAP on stdin. Variables: name (of the program), status (its exit status), failures and
# skips (files that get a line per failed or skipped test, the former with what was printed for it).
# Prints "PASSED FAILED SKIPPED". A program that does not keep its plan, or fails without saying so,
# is a failed test of its own.

function fail(what) {
        failed++
        shown = 0
        print "not ok: " name ": " what >>failures
}

# Of what Check prints, the verdict behind the name is left out.
function title(line) {
        sub(/^(not )?ok *[0-9]* *(- *)?/, "", line)
        sub(/:[a-z_0-9]+: Passed$/, "", line)
        return line
}

BEGIN {
        passed = failed = skipped = seen = 0
        planned = -1
}

/^1\.\.[0-9]+/ {
        planned = substr($1, 4) + 0
        if (planned == 0 && $0 ~ /# *[Ss][Kk][Ii][Pp]/) {
                sub(/^.*# *[Ss][Kk][Ii][Pp][^ ]* */, "")
                print name ": " $0 >>skips
                skipped++
        }
        next
}

/^ok([ \t]|$)/ {
        seen++
        failing = 0
        if ($0 ~ /# *[Ss][Kk][Ii][Pp]/) {
                print name ": " title($0) >>skips
                skipped++
        } else
                passed++
        next
}

/^not ok([ \t]|$)/ {
        seen++
        fail(title($0))
        failing = 1
        next
}

/^Bail out!/ {
        fail($0)
        gave_up = 1
        next
}

failing && shown++ < 40 {
        print "    " $0 >>failures
}

END {
        if (status == 124 || status == 137)
                fail("did not end within its time limit")
        else if (gave_up)
                ; # said above
        else if (planned < 0)
                fail("ended without a plan, with status " status)
        else if (seen < planned)
                fail("ended after " seen " of " planned " tests, with status " status)
        else if (seen > planned)
                fail(seen " tests, but a plan for " planned)
        else if (seen == 0 && skipped == 0)
                fail("no test")
        else if (status != 0 && failed == 0)
                fail("ended with status " status)
        print passed, failed, skipped
}
