/* <paths.h>: where things are on other systems; of them only /dev/null and /tmp are here. */
#ifndef NIGHTSHIFT_PATHS_H
#define NIGHTSHIFT_PATHS_H

#define _PATH_DEVNULL "/dev/null"
#define _PATH_TTY "/dev/tty"
#define _PATH_TMP "/tmp/"
#define _PATH_VARTMP "/var/tmp/"
#define _PATH_BSHELL "/bin/sh"
#define _PATH_DEFPATH "/usr/bin:/bin"

#endif
