/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signals are sent as far as a client reads them. What changes meanwhile is only marked, so that a
 * slow one gets fewer and later signals, always with the state of that moment, and takes no memory.
 */

#include <string.h>

#include "control/object.h"

int news_resize(News *news, size_t daemon_count) {
        bool *daemons = calloc(MAX_OF(daemon_count, (size_t) 1), sizeof(*daemons));

        news_clear(news);
        if (!daemons)
                return -ENOMEM;
        news->daemons = daemons;
        news->daemon_count = news->next = daemon_count;
        return 0;
}

void news_clear(News *news) {
        free(news->daemons);
        *news = (News) {};
}

void news_add_daemon(News *news, unsigned index) {
        if (index >= news->daemon_count) /* no memory for them: the client is on its way out */
                return;
        news->daemons[index] = true;
        news->next = MIN_OF(news->next, (size_t) index);
}

bool news_is_empty(const News *news) {
        return news->next == news->daemon_count && !news->status && !news->set;
}

static int news_send_daemon(Client *client, size_t index) {
        const Supervisor *supervisor = client->control->supervisor;
        const Child *child = supervisor_child(supervisor, index);
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        int r = sd_bus_message_new_signal(client->bus, &message, CONTROL_PATH, CONTROL_INTERFACE,
                                          "DaemonChanged");
        if (r >= 0)
                r = sd_bus_message_append(message, "ssu", child_name(child),
                                          daemon_state_name(child_state(child)),
                                          (uint32_t) child_main_pid(child));
        if (r >= 0)
                r = message_append_text(message, child_reason(child));
        if (r >= 0)
                r = message_append_text(message, child_status(child));
        if (r >= 0)
                r = sd_bus_message_append(message, "t", message_deadline(supervisor, child));
        return r < 0 ? r : sd_bus_send(client->bus, message, NULL);
}

static int news_send_status(Client *client) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        int r = sd_bus_message_new_signal(client->bus, &message, CONTROL_PATH, CONTROL_INTERFACE,
                                          "StatusChanged");
        if (r >= 0)
                r = message_append_text(message, supervisor_status(client->control->supervisor));
        return r < 0 ? r : sd_bus_send(client->bus, message, NULL);
}

/* The first that there is. */
static int news_send_one(Client *client) {
        News *news = &client->news;

        if (news->set) {
                news->set = false;
                return sd_bus_emit_signal(client->bus, CONTROL_PATH, CONTROL_INTERFACE,
                                          "SetChanged", NULL);
        }
        while (news->next < news->daemon_count) {
                size_t index = news->next++;

                if (news->daemons[index]) {
                        news->daemons[index] = false;
                        return news_send_daemon(client, index);
                }
        }
        if (!news->status)
                return 0;
        news->status = false;
        return news_send_status(client);
}

int news_tell(Client *client) {
        int r = 0;

        while (r >= 0 && !news_is_empty(&client->news) && client->queued < CLIENT_QUEUE_PAUSE) {
                r = news_send_one(client);
                if (r >= 0)
                        r = sd_bus_get_n_queued_write(client->bus, &client->queued);
        }
        return r < 0 ? r : 0;
}
