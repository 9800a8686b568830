/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Vectors of strings. A NULL vector is an empty one everywhere. Nothing here can block.
 */

#include "base/strv.h"

#include <errno.h>
#include <string.h>

char **strv_free(char **vector) {
        for (size_t i = 0; vector && vector[i]; i++)
                free(vector[i]);
        free(vector);
        return NULL;
}

size_t strv_length(char *const *vector) {
        size_t length = 0;

        while (vector && vector[length])
                length++;
        return length;
}

bool strv_contains(char *const *vector, const char *word) {
        for (size_t i = 0; vector && vector[i]; i++)
                if (strcmp(vector[i], word) == 0)
                        return true;
        return false;
}

bool strv_equal(char *const *a, char *const *b) {
        size_t length = strv_length(a);

        if (length != strv_length(b))
                return false;
        for (size_t i = 0; i < length; i++)
                if (strcmp(a[i], b[i]) != 0)
                        return false;
        return true;
}

int strv_append(char ***vector, const char *text) {
        CLEANUP(freep) char *copy = NULL;
        size_t length = strv_length(*vector);
        char **grown;

        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        grown = reallocarray(*vector, length + 2, sizeof(char *));
        if (!grown)
                return -ENOMEM;

        grown[length] = TAKE(copy);
        grown[length + 1] = NULL;
        *vector = grown;
        return 0;
}

char **strv_copy(char *const *vector) {
        CLEANUP(strv_freep) char **copy = NULL;
        size_t length = strv_length(vector);

        /* Zeroed, so that it is a valid vector at every step. */
        copy = calloc(length + 1, sizeof(char *));
        if (!copy)
                return NULL;
        for (size_t i = 0; i < length; i++) {
                copy[i] = strdup(vector[i]);
                if (!copy[i])
                        return NULL;
        }
        return TAKE(copy);
}

char *strv_join(char *const *vector, const char *separator) {
        size_t gap = strlen(separator), size = 1;
        char *joined, *end;

        for (size_t i = 0; vector && vector[i]; i++)
                size += (i > 0 ? gap : 0) + strlen(vector[i]);
        joined = malloc(size);
        if (!joined)
                return NULL;

        end = joined;
        *end = '\0';
        for (size_t i = 0; vector && vector[i]; i++) {
                if (i > 0)
                        end = stpcpy(end, separator);
                end = stpcpy(end, vector[i]);
        }
        return joined;
}
