/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reloads and requests, as the control socket asks for them, and what became of them. */

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "sim/sim.h"

#define STOP_MAX   64
#define STOP_NAMES 4
#define NAME_ROOM  32
#define TEXT_ROOM    256
#define FINDINGS_MAX 16

typedef struct AskStop {
        char names[STOP_NAMES][NAME_ROOM];
} AskStop;

static struct {
        AskStop stops[STOP_MAX]; /* empty once a start was asked for */
        unsigned stop_count;
        unsigned verdicts;
        ReloadVerdict verdict;
        char text[TEXT_ROOM];
        char findings[FINDINGS_MAX][TEXT_ROOM];
        unsigned finding_count;
        unsigned ended[OPERATION_OUTCOME_MAX_];
} ask;

void ask_begin(void) {
        memset(&ask, 0, sizeof(ask));
}

static void ask_on_verdict(void *userdata,
                           ReloadVerdict verdict,
                           const char *text,
                           const Diag *diag) {
        (void) userdata;
        world_trace("  verdict: %s, %s", reload_verdict_name(verdict), text);
        ask.verdicts++;
        ask.verdict = verdict;
        snprintf(ask.text, sizeof(ask.text), "%s", text);
        ask.finding_count = diag ? (unsigned) MIN_OF(diag_count(diag), (size_t) FINDINGS_MAX) : 0;
        for (unsigned i = 0; i < ask.finding_count; i++)
                snprintf(ask.findings[i], sizeof(ask.findings[i]), "%s", diag_get(diag, i)->text);
}

void sim_reload(void) {
        int r = reload_request(sim_supervisor(), "the simulation", ask_on_verdict, NULL);

        if (r < 0)
                sim_fail("no memory");
        if (r == RELOAD_E_STOPPING)
                ask_on_verdict(NULL, RELOAD_CANCELED, "everything is being stopped", NULL);
}

unsigned sim_verdicts(void) {
        return ask.verdicts;
}

ReloadVerdict sim_verdict(void) {
        return ask.verdict;
}

const char *sim_verdict_text(void) {
        return ask.text;
}

const char *sim_verdict_finding(void) {
        return sim_finding(0);
}

unsigned sim_findings(void) {
        return ask.finding_count;
}

const char *sim_finding(unsigned index) {
        return index < ask.finding_count ? ask.findings[index] : "";
}

/* Those who are to stay stopped from the end of a request on. */
static AskStop *ask_note_stop(const char *const *names) {
        AskStop *stop = &ask.stops[ask.stop_count++ % STOP_MAX];

        *stop = (AskStop){ 0 };
        for (size_t i = 0; i < STOP_NAMES && names[i]; i++)
                snprintf(stop->names[i], NAME_ROOM, "%s", names[i]);
        return stop;
}

static void ask_on_end(void *userdata, Supervisor *supervisor, OperationOutcome outcome) {
        const AskStop *stop = userdata;

        for (size_t i = 0; stop && outcome == OPERATION_DONE && i < STOP_NAMES; i++)
                watch_hold(stop->names[i]);
        if (supervisor != sim_supervisor())
                sim_fail("an operation ends for another supervisor");
        world_trace("  a request is over: %s", outcome == OPERATION_DONE ? "done" : "canceled");
        ask.ended[outcome]++;
}

static int ask_request(RequestVerb verb, const char *const *names, bool now_only) {
        const char *unknown = NULL;
        Request request = {
                .verb = verb,
                .names = (char *const *) names,
                .now_only = now_only,
                .handler = ask_on_end,
        };

        if (verb == REQUEST_STOP && !now_only)
                request.userdata = ask_note_stop(names);
        int r = supervisor_request(sim_supervisor(), &request, &unknown);
        if (r == 0 && (verb == REQUEST_START || verb == REQUEST_RESTART)) {
                watch_release_all();
                memset(ask.stops, 0, sizeof(ask.stops));
        }
        return r;
}

int sim_request(RequestVerb verb, const char *const *names) {
        return ask_request(verb, names, false);
}

int sim_request_now_only(RequestVerb verb, const char *const *names) {
        return ask_request(verb, names, true);
}

int sim_pause_all(bool drain, const char *const *names) {
        const char *about = NULL;
        PauseRequest request = {
                .drain = drain,
                .names = (char *const *) names,
                .handler = ask_on_end,
        };

        return supervisor_pause(sim_supervisor(), &request, &about);
}

int sim_pause(bool drain, const char *name) {
        return sim_pause_all(drain, (const char *const[]){ name, NULL });
}

int sim_thaw(const char *name) {
        const char *const names[] = { name, NULL }, *about = NULL;

        return supervisor_thaw(sim_supervisor(), (char *const *) names, &about);
}

unsigned sim_ended(OperationOutcome outcome) {
        return ask.ended[outcome];
}
