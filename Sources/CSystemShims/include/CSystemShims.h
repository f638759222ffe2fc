// What Swift's Glibc module leaves out, with integers only at the border: no pointer crosses into Swift.
#ifndef SWCELERY_CSYSTEMSHIMS_H
#define SWCELERY_CSYSTEMSHIMS_H

/// A descriptor (or two) by which one thread wakes another out of `swc_wake_wait`.
typedef struct {
  int read_end;
  int write_end;
} swc_wake_t;

enum {
  SWC_READY_SOCKET = 1,
  SWC_READY_WAKE = 2,
};

/// Opens a wake: an eventfd on Linux, a pipe elsewhere. Both ends are -1 on failure, errno tells why.
swc_wake_t swc_wake_open(void);

/// Closes a wake.
void swc_wake_close(swc_wake_t wake);

/// Makes the wake readable; may be called from any thread and from a signal handler.
void swc_wake_signal(swc_wake_t wake);

/// Waits for the socket (left out if negative) or the wake, at most `timeout_ms` (negative: without limit), and
/// empties the wake. Answers a set of SWC_READY_ bits; 0 on a timeout or an interrupt.
int swc_wake_wait(swc_wake_t wake, int socket, int timeout_ms);

/// A number that tells the running thread from all others.
unsigned long swc_current_thread(void);

/// Starts a detached thread that calls `body(context)`, with a stack of so many bytes (0: the system's default). Answers
/// 0 or an errno.
int swc_thread_start(const char *name, unsigned long stack_size, void (*body)(void *), void *context);

/// What the system knows of a connected TCP socket.
typedef struct {
  /// Whether the system tells at all; the rest is zero otherwise.
  int known;
  /// Milliseconds since data came in last.
  unsigned int silent_ms;
  /// Bytes that have come in and were not read.
  int unread;
  /// Segments that were sent and not acknowledged.
  unsigned int unacked;
  /// Whether the peer's window is full, so that the system only probes it.
  int probing;
  /// Bytes that the peer has acknowledged, and that have come in, since the connection was made.
  unsigned long long bytes_acked;
  unsigned long long bytes_received;
} swc_socket_sample_t;

/// Asks the system about a socket.
swc_socket_sample_t swc_socket_sample(int descriptor);

/// A second descriptor of the socket, close-on-exec; -1 on failure.
int swc_socket_duplicate(int descriptor);

/// Ends both directions of the socket: whoever reads, writes or polls it, by any descriptor, returns at once.
void swc_socket_shutdown(int descriptor);

/// Closes the descriptor.
void swc_socket_close(int descriptor);

#endif
