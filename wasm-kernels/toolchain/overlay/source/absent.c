/* What would start another program: a sandboxed process has none to start, so all of these fail with ENOSYS. */
#include "host.h"
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int absent(void) { return result_or_errno(-ENOSYS); }

pid_t vfork(void) { return absent(); }

int execl(const char *path, const char *arg, ...) { return (void)path, (void)arg, absent(); }
int execlp(const char *file, const char *arg, ...) { return (void)file, (void)arg, absent(); }
int execle(const char *path, const char *arg, ...) { return (void)path, (void)arg, absent(); }
int execv(const char *path, char *const argv[]) { return (void)path, (void)argv, absent(); }
int execvp(const char *file, char *const argv[]) { return (void)file, (void)argv, absent(); }
int execve(const char *path, char *const argv[], char *const envp[]) { return (void)path, (void)argv, (void)envp, absent(); }
int execvpe(const char *file, char *const argv[], char *const envp[]) { return (void)file, (void)argv, (void)envp, absent(); }
int fexecve(int descriptor, char *const argv[], char *const envp[]) { return (void)descriptor, (void)argv, (void)envp, absent(); }

/* system(NULL) asks whether there is a shell. */
int system(const char *command) { return command ? absent() : 0; }

FILE *popen(const char *command, const char *mode) {
  (void)command, (void)mode, absent();
  return NULL;
}

int pclose(FILE *stream) { return (void)stream, absent(); }

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                char *const argv[], char *const envp[]) {
  return (void)pid, (void)path, (void)actions, (void)attributes, (void)argv, (void)envp, ENOSYS;
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                 char *const argv[], char *const envp[]) {
  return posix_spawn(pid, file, actions, attributes, argv, envp);
}

int posix_spawnattr_init(posix_spawnattr_t *attributes) { return attributes->unused = 0; }
int posix_spawnattr_destroy(posix_spawnattr_t *attributes) { return (void)attributes, 0; }
int posix_spawnattr_setflags(posix_spawnattr_t *attributes, short flags) { return (void)attributes, (void)flags, 0; }
int posix_spawnattr_setpgroup(posix_spawnattr_t *attributes, pid_t group) { return (void)attributes, (void)group, 0; }
int posix_spawnattr_setsigmask(posix_spawnattr_t *attributes, const sigset_t *mask) { return (void)attributes, (void)mask, 0; }
int posix_spawnattr_setsigdefault(posix_spawnattr_t *attributes, const sigset_t *defaults) { return (void)attributes, (void)defaults, 0; }
int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions) { return actions->unused = 0; }
int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions) { return (void)actions, 0; }
int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int descriptor, const char *path, int flags, int mode) {
  return (void)actions, (void)descriptor, (void)path, (void)flags, (void)mode, 0;
}
int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *actions, int descriptor) { return (void)actions, (void)descriptor, 0; }
int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int descriptor, int target) {
  return (void)actions, (void)descriptor, (void)target, 0;
}
