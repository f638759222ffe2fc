#include "CSystemShims.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__
// Not <netinet/tcp.h>: its tcp_info ends before the byte counts.
#include <linux/tcp.h>
#endif

swc_socket_sample_t swc_socket_sample(int descriptor) {
  swc_socket_sample_t sample;
  memset(&sample, 0, sizeof sample);
#ifdef __linux__
  struct tcp_info info;
  socklen_t length = sizeof info;
  memset(&info, 0, sizeof info);
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return sample;
  if (length < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return sample;
  if (ioctl(descriptor, FIONREAD, &sample.unread) != 0) return sample;
  sample.known = 1;
  sample.silent_ms = info.tcpi_last_data_recv;
  sample.unacked = info.tcpi_unacked;
  sample.probing = info.tcpi_probes != 0;
  sample.bytes_acked = info.tcpi_bytes_acked;
  sample.bytes_received = info.tcpi_bytes_received;
#else
  (void)descriptor;
#endif
  return sample;
}

int swc_socket_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

void swc_socket_shutdown(int descriptor) { shutdown(descriptor, SHUT_RDWR); }

void swc_socket_close(int descriptor) { close(descriptor); }
