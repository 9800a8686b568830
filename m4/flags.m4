dnl SPDX-License-Identifier: LGPL-2.1-or-later
dnl
dnl Probing for flags that not every compiler has. Each flag is tried alone and with -Werror, since
dnl clang only warns about what it does not know.

dnl SV_COMPILE_FLAGS(VARIABLE, FLAGS): appends to VARIABLE those that the compiler takes.
AC_DEFUN([SV_COMPILE_FLAGS], [
        for sv_flag in $2; do
                AC_MSG_CHECKING([whether $CC takes $sv_flag])
                sv_save_CFLAGS=$CFLAGS
                CFLAGS="$CFLAGS -Werror $sv_flag"
                AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
                        [AC_MSG_RESULT([yes])
                         $1="${$1:+$$1 }$sv_flag"],
                        [AC_MSG_RESULT([no])])
                CFLAGS=$sv_save_CFLAGS
        done
])

dnl SV_LINK_FLAGS(VARIABLE, FLAGS): the same for flags of the link.
AC_DEFUN([SV_LINK_FLAGS], [
        for sv_flag in $2; do
                AC_MSG_CHECKING([whether $CC links with $sv_flag])
                sv_save_LDFLAGS=$LDFLAGS
                LDFLAGS="$LDFLAGS -Werror $sv_flag"
                AC_LINK_IFELSE([AC_LANG_PROGRAM()],
                        [AC_MSG_RESULT([yes])
                         $1="${$1:+$$1 }$sv_flag"],
                        [AC_MSG_RESULT([no])])
                LDFLAGS=$sv_save_LDFLAGS
        done
])
