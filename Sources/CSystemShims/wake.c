#include "CSystemShims.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

swc_wake_t swc_wake_open(void) {
  swc_wake_t wake = {-1, -1};
#ifdef __linux__
  wake.read_end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  wake.write_end = wake.read_end;
#else
  int ends[2];
  if (pipe(ends) == 0) {
    for (int i = 0; i < 2; i++) {
      fcntl(ends[i], F_SETFD, FD_CLOEXEC);
      fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    wake.read_end = ends[0];
    wake.write_end = ends[1];
  }
#endif
  return wake;
}

void swc_wake_close(swc_wake_t wake) {
  if (wake.read_end >= 0) close(wake.read_end);
  if (wake.write_end >= 0 && wake.write_end != wake.read_end) close(wake.write_end);
}

void swc_wake_signal(swc_wake_t wake) {
  uint64_t one = 1;
  // A full pipe or counter means that a wake is pending already.
  ssize_t written;
  do {
    written = write(wake.write_end, &one, sizeof one);
  } while (written < 0 && errno == EINTR);
}

static void empty(int descriptor) {
  uint64_t buffer[8];
  while (read(descriptor, buffer, sizeof buffer) == (ssize_t)sizeof buffer) {
  }
}

int swc_wake_wait(swc_wake_t wake, int socket, int timeout_ms) {
  struct pollfd entries[2] = {{wake.read_end, POLLIN, 0}, {socket, POLLIN, 0}};
  int count = poll(entries, socket < 0 ? 1 : 2, timeout_ms);
  if (count <= 0) return 0;
  int ready = 0;
  if (entries[0].revents != 0) {
    ready |= SWC_READY_WAKE;
    empty(wake.read_end);
  }
  // Errors and hang-ups count as readable: the next read tells what they are.
  if (socket >= 0 && entries[1].revents != 0) ready |= SWC_READY_SOCKET;
  return ready;
}
