#include "CSystemShims.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

// Alternate screen, no cursor, no wrapping at the margin; and back again, with the looks of texts reset.
static const char enter_screen[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave_screen[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

static struct termios saved;
static int input_descriptor = -1;
static int output_descriptor = -1;
static volatile sig_atomic_t is_open = 0;

static void write_all(const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(output_descriptor, text, length);
    if (written > 0) {
      text += written;
      length -= (size_t)written;
    } else if (errno != EINTR) {
      return;
    }
  }
}

void swc_terminal_close(void) {
  if (!is_open) return;
  is_open = 0;
  write_all(leave_screen, sizeof leave_screen - 1);
  tcsetattr(input_descriptor, TCSAFLUSH, &saved);
}

// After the terminal is as it was, the same signal does what it does by default.
static void restore_and_die(int number) {
  int error = errno;
  swc_terminal_close();
  errno = error;
  raise(number);
}

static void watch_fatal_signals(void) {
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = restore_and_die;
  action.sa_flags = SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
}

int swc_terminal_open(int input, int output) {
  static int is_registered = 0;
  if (is_open) return 0;
  if (tcgetattr(input, &saved) != 0) return errno;
  struct termios raw = saved;
  raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | ISTRIP | IXON);
  raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  if (tcsetattr(input, TCSAFLUSH, &raw) != 0) return errno;
  input_descriptor = input;
  output_descriptor = output;
  is_open = 1;
  if (!is_registered) {
    is_registered = 1;
    atexit(swc_terminal_close);
    watch_fatal_signals();
  }
  write_all(enter_screen, sizeof enter_screen - 1);
  return 0;
}

swc_terminal_size_t swc_terminal_size(int descriptor) {
  struct winsize window;
  swc_terminal_size_t size = {0, 0};
  if (ioctl(descriptor, TIOCGWINSZ, &window) == 0) {
    size.rows = window.ws_row;
    size.columns = window.ws_col;
  }
  return size;
}

long swc_terminal_read(int descriptor, void *buffer, unsigned long size) {
  struct pollfd request = {descriptor, POLLIN, 0};
  if (poll(&request, 1, 0) <= 0) return 0;
  if (!(request.revents & POLLIN)) return -1;
  ssize_t count = read(descriptor, buffer, size);
  if (count > 0) return count;
  return count < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -1;
}

void swc_terminal_suspend(void) {
  // The others of the group first. This process gets a signal of its own, for the calling thread, which stops before it
  // goes on: after one that another thread takes, it could take the terminal over again before the process has stopped.
  void (*action)(int) = signal(SIGTSTP, SIG_IGN);
  kill(0, SIGTSTP);
  signal(SIGTSTP, action == SIG_ERR ? SIG_DFL : action);
  // Threads of the runtime's pool block it.
  sigset_t stop, before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  pthread_sigmask(SIG_UNBLOCK, &stop, &before);
  raise(SIGTSTP);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}
