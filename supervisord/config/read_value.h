/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One value as libconfig gives it, into the field of its setting. What is not of the setting's form
 * becomes a finding that shows what to write.
 */

#include <libconfig.h>

#include "base/diag.h"
#include "config/schema.h"

/* Where findings about the value go. */
typedef struct ValuePlace {
        Diag *diag;
        SettingOrigin origin;
        const char *name; /* "web.drain.timeout" */
} ValuePlace;

/* 0 (also with a finding), or -ENOMEM. */
int read_value(const ValuePlace *place,
               const Setting *setting,
               const config_setting_t *value,
               void *object);
