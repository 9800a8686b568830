/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The ids of the messages: random, made once, never changed and never used for anything else.
 * Pure, nothing here can block.
 */

#include "base/message.h"

#include <assert.h>
#include <stddef.h>

#include "base/macro.h"

typedef struct Message {
        const char *name;
        const char *id;
} Message;

#define MESSAGE(name, id) [MESSAGE_##name] = { #name, id }

static const Message message_table[] = {
        MESSAGE(NONE, NULL),
        MESSAGE(SUPERVISOR_STARTED, "62679b4edbd3090686593a2268287836"),
        MESSAGE(SUPERVISOR_READY, "d35de5b1321082265d729bb2273f65af"),
        MESSAGE(SUPERVISOR_STOPPING, "6606d02e2b9372efdc00bb73139fd877"),
        MESSAGE(SUPERVISOR_STOPPED, "9e2df6a183b4a13f595d838b54758169"),
        MESSAGE(STOP_REPEATED, "91ba9a87e2afaaeeabbda9974784f3a2"),
        MESSAGE(CONFIG_INVALID, "2121bce2a409fb6ba994c084b8308c8c"),
        MESSAGE(RELOAD_DONE, "f8b1d05b933492a17021d5ac8f7d942e"),
        MESSAGE(RELOAD_REFUSED, "3355a75e38975e079655ef2724067cc5"),
        MESSAGE(RELOAD_ROLLED_BACK, "45d05917ccf3b64fb64217e9c943aabd"),
        MESSAGE(TRACKING_LIMITED, "f1bac191bba347fb8149ac498d8f5c74"),
        MESSAGE(STATE_LOST, "c022a29f569b4b77ad3ab4d57089f997"),
        MESSAGE(STATE, "67a4b05addbf77e4e95b8dcfd02d82a2"),
        MESSAGE(PHASE_BEGUN, "e44fcc20a1bd6bf649a99d9cf8a14bf7"),
        MESSAGE(PHASE_ENDED, "86204bcd7e750e58d20b899edb65c58f"),
        MESSAGE(DAEMON_STARTING, "b630ce29a516455b79e27c8af4b43d09"),
        MESSAGE(DAEMON_READY, "7039fbe75284839e8a4ea6a24c2e6c9e"),
        MESSAGE(MAIN_CHANGED, "5ccd0769da1c4569b70136ca5409c96f"),
        MESSAGE(DAEMON_START_FAILED, "0b8f34e333ecf8d3f5e0835f2b3de1f2"),
        MESSAGE(DAEMON_EXITED, "62c02f4a2745a0e4e2dfd69df9f4e5f0"),
        MESSAGE(DAEMON_RESTARTING, "e32c9baf3db297799d5776ba1c1f6f55"),
        MESSAGE(DAEMON_GIVEN_UP, "33710827e719d91c9d1b6e41bb46a17f"),
        MESSAGE(DAEMON_STOPPED, "ada00a7efe190e8a34570ee931fb6682"),
        MESSAGE(DAEMON_HELD, "688999cf1b42482bab2f8de527155d18"),
        MESSAGE(DAEMON_FORCED, "6a5acf6b287b9d7ec93199d4da243939"),
        MESSAGE(DAEMON_SPARED, "620e7a0668c04db9b1e9ff33dee7f7b8"),
        MESSAGE(DAEMON_STUCK, "d718e8012432bd36a19551b417f16afe"),
        MESSAGE(DAEMON_RELOADED, "4c981ead65374e41b9a542e688638d01"),
        MESSAGE(DAEMON_RELOAD_FAILED, "3fe4e27e7efe488ab949252892dd1dc6"),
        MESSAGE(DAEMON_SICK, "bc3e6ce3c31c8e1744cc1c68bf565dfb"),
        MESSAGE(DAEMON_WELL, "74e5f0465d34b8050c82d5e3184c9628"),
        MESSAGE(DAEMON_DRAINING, "078a24b7fd28f4945fe87f9986cb81e2"),
        MESSAGE(DAEMON_THAWED, "175d0360c12d68eed4e3e0988c979d59"),
        MESSAGE(INTAKE_OPEN, "7da35b7b930059fc180264b513d5e51d"),
        MESSAGE(INTAKE_RECOVERED, "15f1024dae1ba2a73c599794f8085bc5"),
        MESSAGE(LEFTOVERS, "257898149d19c94f4c85eff780ac278c"),
        MESSAGE(PIDFILE_REFUSED, "aa80b46b11b0c14d9cfee6c59f3475b5"),
        MESSAGE(NOTIFY_REFUSED, "b7b994c0ad65683d6580da0fdaad6a80"),
        MESSAGE(HOOK_FAILED, "25f2f792d82c47836229e10843a73a69"),
        MESSAGE(CLEANUP_FAILED, "cce6064e0e5cf922dd5b597abfce62f2"),
};
static_assert(ELEMENTSOF(message_table) == MESSAGE_MAX_, "every message has an id");

const char *message_id_text(MessageId id) {
        return message_table[id].id;
}

const char *message_id_name(MessageId id) {
        return message_table[id].name;
}
