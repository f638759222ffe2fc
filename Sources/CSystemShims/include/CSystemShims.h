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

/// Marks every descriptor from this one on, so that no program that is started or that takes this process over has it.
void swc_descriptors_close_on_exec(int lowest);

/// Lets every signal do what the system does by default, and unblocks all in the calling thread: before an exec.
void swc_signals_reset(void);

/// Ignores a signal.
void swc_signal_ignore(int number);

/// Makes `to` another name of the descriptor `from`. Answers 0 or an errno.
int swc_redirect(int from, int to);

enum {
  SWC_PRIVILEGES_DROPPED = 0,
  SWC_PRIVILEGES_NO_USER = 1,
  SWC_PRIVILEGES_NO_GROUP = 2,
  /// The process may not become this user or group.
  SWC_PRIVILEGES_DENIED = 3,
  /// The process could become root again.
  SWC_PRIVILEGES_RESTORABLE = 4,
};

/// Becomes this user, with its groups, and this group: names or numbers, empty where nothing is to change.
int swc_privileges_drop(const char *user, const char *group);

/// Sets the process's file mode mask; answers the one before.
unsigned int swc_umask(unsigned int mask);

/// Both ends of a pipe, close-on-exec.
typedef struct {
  int read_end;
  int write_end;
} swc_pipe_t;

/// Opens a pipe. Answers 0 or an errno.
int swc_pipe(swc_pipe_t *ends);

/// Where a detached process finds the pipe by which it tells that it is up.
enum { SWC_READY_DESCRIPTOR = 3 };

/// A process in a session of its own.
typedef struct {
  int pid;
  /// Where its word comes that it is up; at its end when it has ended before.
  int ready;
  /// 0, or the errno of a start that failed.
  int failure;
} swc_detached_t;

/// Starts an executable in a session of its own: standard input from /dev/null, output and errors to a descriptor, or to
/// /dev/null where that is negative.
swc_detached_t swc_detached_spawn(const char *path, char *const arguments[], char *const environment[], int output);

/// Waits for the end of a child: its exit code, 128 and the signal's number, or -1.
int swc_child_exit_code(int pid);

/// Sends a datagram to the socket of a service manager (NOTIFY_SOCKET). Answers 0 or an errno.
int swc_notify(const char *address, const char *text);

#endif
