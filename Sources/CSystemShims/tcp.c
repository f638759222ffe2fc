#define _GNU_SOURCE
#include "CSystemShims.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long long milliseconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int swc_wait_readable(int descriptor, int timeout_ms) {
  struct pollfd request = {.fd = descriptor, .events = POLLIN};
  long long end = milliseconds_now() + timeout_ms;
  for (;;) {
    long long left = end - milliseconds_now();
    int count = poll(&request, 1, left > 0 ? (int)left : 0);
    if (count > 0) return 0;
    if (count == 0) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
}

static int connect_before(const struct addrinfo *address, long long end, int *failure) {
  int descriptor = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
  if (descriptor < 0) {
    *failure = errno;
    return -1;
  }
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  *failure = connect(descriptor, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
  while (*failure == EINPROGRESS || *failure == EINTR) {
    struct pollfd request = {.fd = descriptor, .events = POLLOUT};
    long long left = end - milliseconds_now();
    int count = left > 0 ? poll(&request, 1, (int)left) : 0;
    if (count < 0 && errno == EINTR) continue;
    socklen_t size = sizeof *failure;
    if (count <= 0) {
      *failure = ETIMEDOUT;
    } else if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, failure, &size) != 0) {
      *failure = errno;
    }
    break;
  }
  if (*failure == 0) return descriptor;
  close(descriptor);
  return -1;
}

int swc_tcp_connect(const char *host, const char *port, int timeout_ms) {
  struct addrinfo hints, *addresses = NULL;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host, port, &hints, &addresses) != 0) return -EHOSTUNREACH;
  long long end = milliseconds_now() + timeout_ms;
  int failure = EHOSTUNREACH;
  int descriptor = -1;
  for (const struct addrinfo *address = addresses; address != NULL && descriptor < 0; address = address->ai_next) {
    descriptor = connect_before(address, end, &failure);
  }
  freeaddrinfo(addresses);
  return descriptor >= 0 ? descriptor : -failure;
}
