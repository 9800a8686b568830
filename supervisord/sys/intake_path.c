/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What has a path is closed by a new name for its file: who connects finds nothing there, and the
 * daemon notices nothing. That happens in the daemon's own mount namespace and root, and only if
 * the file is that of the socket, as the kernel tells of the latter: file system and inode.
 *
 * Both names are of one directory, which is held by a descriptor meanwhile.
 */

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/intake_internal.h"
#include "sys/netspace.h"
#include "sys/sockdiag.h"

#define ASIDE_SUFFIX  ".supervisord-aside"
#define PROC_PATH_MAX 64
#define NAME_MAX_     (INTAKE_NAME_MAX + sizeof(ASIDE_SUFFIX))

typedef struct Place {
        int directory;
        bool has_devices; /* of its own, which stat(2) tells instead of that of the file system */
        char name[NAME_MAX_], aside[NAME_MAX_]; /* in it */
} Place;

#define PLACE_NONE ((Place){ .directory = -1 })

static void place_done(Place *place) {
        fd_close(place->directory);
}

static int path_failure(void) {
        switch (errno) {
        case ENOENT:
        case ENOTDIR:
        case ESRCH:
                return INTAKE_E_GONE;
        case EACCES:
        case EPERM:
        case EROFS:
                return INTAKE_E_DENIED;
        case EXDEV: /* it leads out of where it may lead */
        case ELOOP:
        case ENOSYS:
        case EINVAL: /* the file system has no RENAME_NOREPLACE */
                return INTAKE_E_UNSUPPORTED;
        default:
                return errno_negative();
        }
}

char *intake_aside(const char *path) {
        char *aside = NULL;

        return asprintf(&aside, "%s" ASIDE_SUFFIX, path) < 0 ? NULL : aside;
}

/* ---- the directory ---- */

/* What a process sees as its root, or for a name without a slash in front where it is just now. */
static int place_open_origin(pid_t pid, const char *path, int *ret) {
        char origin[PROC_PATH_MAX];
        int fd;

        (void) snprintf(origin, sizeof(origin), "/proc/%d/%s", (int) pid,
                        path[0] == '/' ? "root" : "cwd");
        fd = open(origin, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return path_failure();
        *ret = fd;
        return 0;
}

/* Links and ".." lead as far as the origin, as they would lead the process. */
static int place_open_directory(int origin, const char *path, int *ret) {
        struct open_how how = {
                .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                .resolve = (path[0] == '/' ? RESOLVE_IN_ROOT : RESOLVE_BENEATH)
                        | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, origin, *path ? path : ".", &how, sizeof(how));

        if (fd < 0)
                return path_failure();
        *ret = (int) fd;
        return 0;
}

/* Splits the path; the names are good, the directory is still to be opened by `ret_directory`. */
static int place_name(const char *path, Place *place, char ret_directory[static INTAKE_NAME_MAX]) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        size_t length = (size_t) (name - path);

        if (*name == '\0' || strlen(path) >= INTAKE_NAME_MAX)
                return INTAKE_E_UNSUPPORTED;
        memcpy(ret_directory, path, length);
        ret_directory[length] = '\0';
        (void) snprintf(place->name, sizeof(place->name), "%s", name);
        (void) snprintf(place->aside, sizeof(place->aside), "%s" ASIDE_SUFFIX, name);
        return 0;
}

/* Subvolumes and layers: there the inode alone has to do, together with the path. */
static bool directory_has_devices(int directory) {
        struct statfs st;

        return fstatfs(directory, &st) == 0
                && (st.f_type == BTRFS_SUPER_MAGIC || st.f_type == OVERLAYFS_SUPER_MAGIC);
}

static int place_of_process(pid_t pid, const char *path, Place *place) {
        CLEANUP(fd_closep) int origin = -1;
        char directory[INTAKE_NAME_MAX];
        int r;

        r = place_name(path, place, directory);
        if (r == 0)
                r = place_open_origin(pid, path, &origin);
        if (r == 0)
                r = place_open_directory(origin, directory, &place->directory);
        if (r == 0)
                place->has_devices = directory_has_devices(place->directory);
        return r;
}

/* ---- what stands there ---- */

typedef enum Standing {
        STANDING_NOTHING,
        STANDING_SOCKET, /* that of the candidate */
        STANDING_OTHER,
} Standing;

static bool place_is_file(const Place *place,
                          const IntakeCandidate *candidate,
                          const struct stat *st) {
        return candidate->has_file && S_ISSOCK(st->st_mode)
                && (uint32_t) st->st_ino == candidate->file_inode
                && (place->has_devices || st->st_dev == candidate->file_device);
}

static Standing place_look(const Place *place, const char *name, const IntakeCandidate *candidate) {
        struct stat st;

        if (fstatat(place->directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? STANDING_NOTHING : STANDING_OTHER;
        return place_is_file(place, candidate, &st) ? STANDING_SOCKET : STANDING_OTHER;
}

static int place_rename(const Place *place, const char *from, const char *to) {
        if (renameat2(place->directory, from, place->directory, to, RENAME_NOREPLACE) == 0)
                return 0;
        return errno == EEXIST ? INTAKE_E_FOREIGN : path_failure();
}

/* The socket as the kernel knows it, and its place. */
typedef struct Target {
        IntakeListing *listing;
        const IntakeCandidate *candidate;
        Place place;
} Target;

#define TARGET_NONE ((Target){ .place = PLACE_NONE })

static void target_done(Target *target) {
        place_done(&target->place);
}

static int target_find(Intake *intake, const IntakeSocket *socket, Target *target) {
        int r;

        r = intake_list(intake, socket->pid, socket->network, &target->listing);
        if (r != 0)
                return r;
        target->candidate = intake_listing_find(target->listing, socket->inode);
        if (!target->candidate)
                return INTAKE_E_GONE;
        return place_of_process(socket->pid, socket->name, &target->place);
}

/* ---- closing and opening ---- */

/* A socket that nobody listens at was left there by a daemon that ended while it was closed. */
static void place_clear_aside(const Place *place, const IntakeListing *listing) {
        struct stat st;

        if (fstatat(place->directory, place->aside, &st, AT_SYMLINK_NOFOLLOW) < 0
            || !S_ISSOCK(st.st_mode))
                return;
        for (size_t i = 0; i < listing->count; i++)
                if (place_is_file(place, &listing->candidates[i], &st))
                        return;
        (void) unlinkat(place->directory, place->aside, 0);
}

/* The names may have been changed under our hands: then the change is taken back. */
static int target_put_aside(const Target *target) {
        const Place *place = &target->place;
        int r;

        place_clear_aside(place, target->listing);
        r = place_rename(place, place->name, place->aside);
        if (r != 0 || place_look(place, place->aside, target->candidate) == STANDING_SOCKET)
                return r;
        (void) place_rename(place, place->aside, place->name);
        return INTAKE_E_FOREIGN;
}

/* What is not at its path may have been renamed by the daemon itself: who knows where to. */
static int target_close(const Target *target) {
        const Place *place = &target->place;

        switch (place_look(place, place->name, target->candidate)) {
        case STANDING_SOCKET:
                return target_put_aside(target);
        case STANDING_OTHER:
                return INTAKE_E_FOREIGN;
        case STANDING_NOTHING:
                break;
        }
        return place_look(place, place->aside, target->candidate) == STANDING_SOCKET
                ? 0
                : INTAKE_E_UNSUPPORTED;
}

static int target_open(const Target *target) {
        const Place *place = &target->place;

        return place_look(place, place->aside, target->candidate) == STANDING_SOCKET
                ? place_rename(place, place->aside, place->name)
                : 0;
}

int intake_path_close(Intake *intake, const IntakeSocket *socket) {
        CLEANUP(target_done) Target target = TARGET_NONE;
        int r = target_find(intake, socket, &target);

        return r != 0 ? r : target_close(&target);
}

int intake_path_open(Intake *intake, const IntakeSocket *socket) {
        CLEANUP(target_done) Target target = TARGET_NONE;
        int r = target_find(intake, socket, &target);

        return r != 0 ? r : target_open(&target);
}

bool intake_path_is_closed(const IntakeCandidate *candidate, const IntakeSocket *socket) {
        CLEANUP(place_done) Place place = PLACE_NONE;

        return place_of_process(socket->pid, socket->name, &place) == 0
                && place_look(&place, place.aside, candidate) == STANDING_SOCKET;
}

/* ---- what an earlier supervisor left ---- */

/* By the inode alone: what it finds too much is put back, which does no harm. */
static int restore_compare(void *userdata, const SockdiagSocket *socket) {
        const struct stat *st = userdata;

        /* Found: ends the search. */
        return socket->has_file && socket->file_inode == (uint32_t) st->st_ino ? -EEXIST : 0;
}

/* Whether the kernel knows a socket in our network that listens with this file. */
static bool restore_is_known(const struct stat *st) {
        SockdiagRequest request = {
                .kind = SOCKDIAG_UNIX,
                .states = SOCKDIAG_BIT(SOCKDIAG_LISTENS),
                .in_full = true,
        };
        CLEANUP(fd_closep) int fd = -1;

        return sockdiag_open(&fd) == 0
                && sockdiag_each(fd, &request, restore_compare, (void *) st) == -EEXIST;
}

/* It may be of another network: whoever is connected to must be there. */
static bool restore_is_served(const Place *place) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        CLEANUP(fd_closep) int file = -1;
        CLEANUP(fd_closep) int fd = -1;

        file = openat(place->directory, place->aside, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (file < 0 || fd < 0)
                return true; /* as far as we know */
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", file);
        return connect(fd, (const struct sockaddr *) &address, sizeof(address)) == 0
                || errno != ECONNREFUSED;
}

int intake_restore(const char *path) {
        CLEANUP(place_done) Place place = PLACE_NONE;
        char directory[INTAKE_NAME_MAX];
        struct stat st;
        int r;

        r = place_name(path, &place, directory);
        if (r != 0)
                return r;
        place.directory = open(*directory ? directory : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (place.directory < 0
            || fstatat(place.directory, place.aside, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : path_failure();
        if (!S_ISSOCK(st.st_mode))
                return INTAKE_E_FOREIGN;

        if (restore_is_known(&st) || restore_is_served(&place))
                return place_rename(&place, place.aside, place.name);
        return unlinkat(place.directory, place.aside, 0) < 0 ? path_failure() : 0;
}
