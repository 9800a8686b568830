/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The profiles that a configuration can name: which there are, and what is in one. They are files
 * with comments; nobody explains them better than these.
 */

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/nearest.h"
#include "base/strv.h"
#include "command.h"
#include "config/load.h"
#include "config/profile.h"
#include "json.h"

/* The text of a profile and where it stands; both malloc'ed. */
static int profiles_read(const Options *options, const char *name, char **ret_path, char **ret) {
        size_t size;

        int r = profile_find(options->config, name, ret_path);
        if (r != 0)
                return r;
        return file_read(AT_FDCWD, *ret_path, CONFIG_FILE_MAX, 0, ret, &size);
}

/* Its first line of comment, cut off the text, without the name with which it begins. */
static const char *profiles_summary(char *text, const char *name) {
        char *line = text;

        while (strncmp(line, "# SPDX", 6) == 0 || *line == '\n' || strcmp(line, "#") == 0 ||
               strncmp(line, "#\n", 2) == 0) {
                char *end = strchr(line, '\n');

                if (!end)
                        return "";
                line = end + 1;
        }
        if (*line != '#')
                return "";
        line[strcspn(line, "\n")] = '\0';
        line += 1 + strspn(line + 1, " ");
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
                line += strlen(name) + 1;
        return line + strspn(line, " ");
}

static int profiles_list(const Options *options, char *const *names) {
        json_t *rows = json_array();
        int status = 0;

        for (; names && *names; names++) {
                CLEANUP(freep) char *path = NULL, *text = NULL;

                if (profiles_read(options, *names, &path, &text) != 0) {
                        fprintf(stderr, "supervisorctl: %s cannot be read\n", path ? path : *names);
                        status = EXIT_FAILED;
                        continue;
                }
                const char *summary = profiles_summary(text, *names);
                if (options->json)
                        json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "name", *names,
                                                              "file", path, "summary", summary));
                else
                        printf("%-12s %s\n", *names, summary);
        }
        if (options->json) {
                json_print(rows);
        }
        json_decref(rows);
        return status;
}

static int profiles_unknown(const char *name, char *const *known) {
        const char *meant = nearest_word(name, (const char *const *) known, strv_length(known));

        fprintf(stderr, "supervisorctl: there is no profile \"%s\"", name);
        if (meant)
                fprintf(stderr, "; did you mean \"%s\"?", meant);
        fputc('\n', stderr);
        return EXIT_UNKNOWN;
}

static int profiles_show(const Options *options, const char *name, char *const *known) {
        CLEANUP(freep) char *path = NULL, *text = NULL;

        if (profiles_read(options, name, &path, &text) != 0)
                return profiles_unknown(name, known);
        printf("# %s\n%s", path, text);
        return 0;
}

int command_profiles(sd_bus *bus, const Options *options) {
        CLEANUP(strv_freep) char **names = NULL;

        (void) bus;
        int r = profile_names(options->config, &names);
        if (r < 0)
                return client_explain(NULL, r);
        if (!options->arguments[0])
                return profiles_list(options, names);
        for (char **name = options->arguments; *name && r == 0; name++)
                r = profiles_show(options, *name, names);
        return r;
}
