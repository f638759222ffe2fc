#define _GNU_SOURCE
#include "CSystemShims.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#ifdef __APPLE__
#include <libproc.h>
#include <mach-o/dyld.h>
#endif

extern char **environ;

// Above what the child's own places take, so that moving an end there never meets the other one.
enum { LOWEST_DESCRIPTOR = 10 };

static int prepare(int descriptor, int nonblocking) {
  int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR);
  int failure = errno;
  close(descriptor);
  errno = failure;
  if (moved < 0) return -1;
  if (nonblocking) fcntl(moved, F_SETFL, fcntl(moved, F_GETFL) | O_NONBLOCK);
#ifdef SO_NOSIGPIPE
  int on = 1;
  setsockopt(moved, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  return moved;
}

static int make_sockets(int *own, int *others) {
  int ends[2];
#ifdef SOCK_CLOEXEC
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno;
#else
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return errno;
#endif
  *own = prepare(ends[0], 1);
  int failure = errno;
  *others = prepare(ends[1], 0);
  if (*own >= 0 && *others >= 0) return 0;
  if (*own >= 0) failure = errno;
  if (*own >= 0) close(*own);
  if (*others >= 0) close(*others);
  return failure;
}

// Everything but the three standard descriptors and the socket is closed in the child, whatever its owner has forgotten.
static int add_actions(posix_spawn_file_actions_t *actions, int socket) {
  int status = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
  if (status == 0) status = posix_spawn_file_actions_adddup2(actions, socket, SWC_CHILD_SOCKET);
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
  if (status == 0) status = posix_spawn_file_actions_addclosefrom_np(actions, SWC_CHILD_SOCKET + 1);
#endif
#endif
  return status;
}

// A process group of its own: what a terminal or a shell sends to the worker's group reaches the worker alone, which then
// lets its children finish; and a kill reaches what a task has started as well.
static int add_attributes(posix_spawnattr_t *attributes) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  int status = posix_spawnattr_setsigmask(attributes, &none);
  if (status == 0) status = posix_spawnattr_setsigdefault(attributes, &all);
  if (status == 0) status = posix_spawnattr_setpgroup(attributes, 0);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
  flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
  if (status == 0) status = posix_spawnattr_setflags(attributes, flags);
  return status;
}

static char **child_environment(const char *assignment) {
  size_t count = 0;
  while (environ[count] != NULL) count++;
  char **copy = calloc(count + 2, sizeof *copy);
  if (copy == NULL) return NULL;
  memcpy(copy, environ, count * sizeof *copy);
  copy[count] = (char *)assignment;
  return copy;
}

static int spawn(pid_t *pid, int socket, const char *path, char *const *arguments, const char *assignment) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  char **environment = child_environment(assignment);
  if (environment == NULL) return ENOMEM;
  int status = posix_spawn_file_actions_init(&actions);
  if (status == 0) {
    status = posix_spawnattr_init(&attributes);
    if (status == 0) {
      status = add_actions(&actions, socket);
      if (status == 0) status = add_attributes(&attributes);
      if (status == 0) status = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
      posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  free(environment);
  return status;
}

static int open_pidfd(pid_t pid) {
#if defined(__linux__) && defined(SYS_pidfd_open)
  return (int)syscall(SYS_pidfd_open, pid, 0);
#else
  (void)pid;
  return -1;
#endif
}

swc_child_t swc_child_spawn(const char *path, const char *name, const char *title, const char *assignment) {
  swc_child_t child = {0, -1, -1, 0};
  int others = -1;
  child.failure = make_sockets(&child.socket, &others);
  if (child.failure != 0) {
    child.socket = -1;
    return child;
  }
  char *const arguments[] = {(char *)name, "pool-child", (char *)title, NULL};
  pid_t pid = 0;
  child.failure = spawn(&pid, others, path, arguments, assignment);
  close(others);
  if (child.failure != 0) {
    close(child.socket);
    child.socket = -1;
    return child;
  }
  child.pid = pid;
  child.exit_watch = open_pidfd(pid);
  return child;
}

int swc_executable_path(char *buffer, unsigned long size) {
#ifdef __APPLE__
  uint32_t length = (uint32_t)size;
  return _NSGetExecutablePath(buffer, &length) == 0 ? 0 : ENAMETOOLONG;
#else
  // The file itself, even if another one has taken its name since: all processes of a worker run the same program.
  if (size < sizeof "/proc/self/exe") return ENAMETOOLONG;
  strcpy(buffer, "/proc/self/exe");
  return 0;
#endif
}

swc_exit_t swc_child_wait(int pid) {
  swc_exit_t exit = {SWC_EXIT_NONE, 0};
  int status = 0;
  pid_t answer;
  do {
    answer = waitpid(pid, &status, WNOHANG);
  } while (answer < 0 && errno == EINTR);
  if (answer < 0) {
    // Somebody else has collected it, or nobody may (SIGCHLD ignored).
    exit.kind = SWC_EXIT_UNKNOWN;
  } else if (answer == pid && WIFEXITED(status)) {
    exit.kind = SWC_EXIT_CODE;
    exit.value = WEXITSTATUS(status);
  } else if (answer == pid && WIFSIGNALED(status)) {
    exit.kind = SWC_EXIT_SIGNAL;
    exit.value = WTERMSIG(status);
  }
  return exit;
}

void swc_child_signal(int pid, int signal) { kill(pid, signal); }

void swc_child_kill(int pid) {
  // Both: the child may not have its group yet, or may have left it.
  kill(-pid, SIGKILL);
  kill(pid, SIGKILL);
}

int swc_signal_number(const char *name) {
  static const struct {
    const char *name;
    int number;
  } table[] = {
      {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ILL", SIGILL},   {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},
      {"BUS", SIGBUS},   {"FPE", SIGFPE},   {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
      {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"SYS", SIGSYS},   {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},
  };
  if (strncmp(name, "SIG", 3) == 0) name += 3;
  for (size_t index = 0; index < sizeof table / sizeof *table; index++) {
    if (strcmp(table[index].name, name) == 0) return table[index].number;
  }
  return 0;
}

long long swc_child_resident(int pid) {
#ifdef __linux__
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -1;
  char text[128];
  ssize_t length = read(descriptor, text, sizeof text - 1);
  close(descriptor);
  if (length <= 0) return -1;
  text[length] = 0;
  long long size = 0, resident = -1;
  if (sscanf(text, "%lld %lld", &size, &resident) != 2) return -1;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
#elif defined(__APPLE__)
  struct proc_taskinfo info;
  if (proc_pidinfo(pid, PROC_PIDTASKINFO, 0, &info, sizeof info) < (int)sizeof info) return -1;
  return (long long)(info.pti_resident_size / 1024);
#else
  (void)pid;
  return -1;
#endif
}

int swc_child_begin(void) {
  int kind = 0;
  socklen_t length = sizeof kind;
  if (getsockopt(SWC_CHILD_SOCKET, SOL_SOCKET, SO_TYPE, &kind, &length) != 0 || kind != SOCK_STREAM) return ENOTSOCK;
  fcntl(SWC_CHILD_SOCKET, F_SETFD, FD_CLOEXEC);
#ifdef SO_NOSIGPIPE
  int on = 1;
  setsockopt(SWC_CHILD_SOCKET, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  // As Celery's children; and a child, which is in no foreground group, may write to its terminal.
  signal(SIGINT, SIG_IGN);
  // As Python does: who writes into a pipe that nobody reads gets an error, and does not die.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  return 0;
}

void swc_process_flush_and_exit(int code) {
  fflush(NULL);
  _exit(code);
}

void swc_process_complain(const char *text) {
  ssize_t written = write(2, text, strlen(text));
  (void)written;
}

void swc_process_exit(int code) { _exit(code); }

long swc_stream_read(int descriptor, void *buffer, unsigned long size) {
  ssize_t count;
  do {
    count = read(descriptor, buffer, size);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -(long)errno : (long)count;
}

long swc_stream_write(int descriptor, const void *bytes, unsigned long size) {
#ifdef MSG_NOSIGNAL
  const int flags = MSG_NOSIGNAL;
#else
  const int flags = 0;
#endif
  ssize_t count;
  do {
    count = send(descriptor, bytes, size, flags);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -(long)errno : (long)count;
}

int swc_errno_would_block(void) { return EAGAIN; }
