#define _GNU_SOURCE
#include "CSystemShims.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void mark(int descriptor) {
  int flags = fcntl(descriptor, F_GETFD);
  if (flags >= 0) fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
}

void swc_descriptors_close_on_exec(int lowest) {
#ifdef __linux__
  DIR *folder = opendir("/proc/self/fd");
#else
  DIR *folder = opendir("/dev/fd");
#endif
  if (folder == NULL) {
    for (int descriptor = lowest; descriptor < 4096; descriptor++) mark(descriptor);
    return;
  }
  struct dirent *entry;
  while ((entry = readdir(folder)) != NULL) {
    int descriptor = atoi(entry->d_name);
    if (descriptor >= lowest) mark(descriptor);
  }
  closedir(folder);
}

void swc_descriptors_open_standard(void) {
  for (int descriptor = 0; descriptor <= 2; descriptor++) {
    if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one.
    if (open("/dev/null", O_RDWR) != descriptor) return;
  }
}

static void set_all(sigset_t *set) {
  sigfillset(set);
  sigdelset(set, SIGKILL);
  sigdelset(set, SIGSTOP);
}

void swc_signals_reset(int ignored) {
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action;
    if (number == ignored) {
      signal(number, SIG_IGN);
    } else if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL) {
      signal(number, SIG_DFL);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
}

int swc_redirect(int from, int to) {
  if (from == to) return 0;
  return dup2(from, to) < 0 ? errno : 0;
}

/// Reads a number; negative for other text.
static long number_of(const char *text) {
  char *end = NULL;
  errno = 0;
  long number = strtol(text, &end, 10);
  return errno == 0 && end != text && *end == 0 && number >= 0 && number < 0xffffffffL ? number : -1;
}

static struct passwd *user_of(const char *text) {
  long number = number_of(text);
  return number >= 0 ? getpwuid((uid_t)number) : getpwnam(text);
}

static int change_group(const char *group, gid_t *found) {
  long number = number_of(group);
  if (number < 0) {
    struct group *entry = getgrnam(group);
    if (entry == NULL) return SWC_PRIVILEGES_NO_GROUP;
    number = (long)entry->gr_gid;
  }
  *found = (gid_t)number;
  return SWC_PRIVILEGES_DROPPED;
}

int swc_privileges_drop(const char *user, const char *group) {
  int has_user = user[0] != 0, has_group = group[0] != 0;
  uid_t uid = geteuid();
  gid_t gid = getegid();
  struct passwd *entry = NULL;
  if (has_user) {
    entry = user_of(user);
    if (entry == NULL && number_of(user) < 0) return SWC_PRIVILEGES_NO_USER;
    uid = entry == NULL ? (uid_t)number_of(user) : entry->pw_uid;
    if (entry != NULL) gid = entry->pw_gid;
  }
  if (has_group) {
    int status = change_group(group, &gid);
    if (status != SWC_PRIVILEGES_DROPPED) return status;
  }
  // They were dropped before, by a start that this one follows.
  if (getuid() == uid && geteuid() == uid && getgid() == gid && getegid() == gid) return SWC_PRIVILEGES_DROPPED;
  if (geteuid() != 0) return SWC_PRIVILEGES_DENIED;
  if (setgid(gid) != 0) return SWC_PRIVILEGES_DENIED;
  if (has_user) {
    int status = entry != NULL ? initgroups(entry->pw_name, gid) : setgroups(1, &gid);
    if (status != 0 || setuid(uid) != 0) return SWC_PRIVILEGES_DENIED;
    if (uid != 0 && (setuid(0) == 0 || geteuid() == 0)) return SWC_PRIVILEGES_RESTORABLE;
  }
  return SWC_PRIVILEGES_DROPPED;
}

unsigned int swc_umask(unsigned int mask) { return (unsigned int)umask((mode_t)mask); }

int swc_pipe(swc_pipe_t *ends) {
  int descriptors[2];
  if (pipe(descriptors) != 0) return errno;
  mark(descriptors[0]);
  mark(descriptors[1]);
  ends->read_end = descriptors[0];
  ends->write_end = descriptors[1];
  return 0;
}

swc_detached_t swc_detached_spawn(const char *path, char *const arguments[], char *const environment[], int output) {
  swc_detached_t child = {-1, -1, 0};
  swc_pipe_t ends;
  child.failure = swc_pipe(&ends);
  if (child.failure != 0) return child;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  sigset_t all, none;
  set_all(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (output >= 0) {
    posix_spawn_file_actions_adddup2(&actions, output, 1);
  } else {
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_adddup2(&actions, ends.write_end, SWC_READY_DESCRIPTOR);
  child.failure = posix_spawnp(&child.pid, path, &actions, &attributes, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(ends.write_end);
  if (child.failure != 0) {
    close(ends.read_end);
  } else {
    child.ready = ends.read_end;
  }
  return child;
}

int swc_child_exit_code(int pid) {
  int status = 0;
  pid_t found;
  do {
    found = waitpid(pid, &status, 0);
  } while (found < 0 && errno == EINTR);
  if (found != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int swc_notify(const char *address, const char *text) {
  struct sockaddr_un name;
  size_t length = strlen(address);
  if (length == 0 || length >= sizeof name.sun_path || (address[0] != '/' && address[0] != '@')) return EINVAL;
  memset(&name, 0, sizeof name);
  name.sun_family = AF_UNIX;
  memcpy(name.sun_path, address, length);
  // A name that begins with @ is in Linux's abstract name space.
  if (address[0] == '@') name.sun_path[0] = 0;
  int descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (descriptor < 0) return errno;
  mark(descriptor);
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  ssize_t sent = sendto(descriptor, text, strlen(text), 0, (struct sockaddr *)&name, size);
  int status = sent < 0 ? errno : 0;
  close(descriptor);
  return status;
}
