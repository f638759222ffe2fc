// What Swift's Glibc module leaves out, with integers at the border wherever that is possible.
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

/// Opens /dev/null for whatever is closed of the standard descriptors, so that no socket becomes standard output.
void swc_descriptors_open_standard(void);

/// Marks every descriptor from this one on, so that no program that is started or that takes this process over has it.
void swc_descriptors_close_on_exec(int lowest);

/// Lets every signal do what the system does by default, apart from one that is ignored, and unblocks all in the calling
/// thread: before an exec.
void swc_signals_reset(int ignored);

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

/// Where a child process finds its socket.
enum { SWC_CHILD_SOCKET = 3 };

/// A child process that was started.
typedef struct {
  int pid;
  /// The parent's end of the socket, non-blocking and close-on-exec.
  int socket;
  /// Readable once the child has ended; -1 where the system has no such thing.
  int exit_watch;
  /// 0, or the errno of a start that failed.
  int failure;
} swc_child_t;

/// Starts an executable as a child: with its end of a socket pair as SWC_CHILD_SOCKET, standard input from /dev/null, no
/// other descriptors, signals as they are by default, and in a process group of its own. `assignment` is added to the
/// environment. The calling thread has to live as long as the child.
swc_child_t swc_child_spawn(const char *path, const char *name, const char *title, const char *assignment);

/// Writes the path of the running executable; answers 0 or an errno.
int swc_executable_path(char *buffer, unsigned long size);

enum {
  /// It has not ended.
  SWC_EXIT_NONE = 0,
  SWC_EXIT_CODE = 1,
  SWC_EXIT_SIGNAL = 2,
  /// It has ended, and nobody can tell how.
  SWC_EXIT_UNKNOWN = 3,
};

/// How a process has ended.
typedef struct {
  int kind;
  int value;
} swc_exit_t;

/// Collects an ended child; does not wait for it.
swc_exit_t swc_child_wait(int pid);

/// Sends a signal to a child that was not collected.
void swc_child_signal(int pid, int signal);

/// Kills a child that was not collected, with everything in its process group.
void swc_child_kill(int pid);

/// The number of a signal, by its name with or without SIG; 0 for an unknown one.
int swc_signal_number(const char *name);

/// The resident memory of a process in KiB; -1 where that is not known.
long long swc_child_resident(int pid);

/// In a child: takes care of its socket, its signals, and that it dies with its parent. Answers 0, or an errno where
/// the socket is none.
int swc_child_begin(void);

/// Writes a text to standard error.
void swc_process_complain(const char *text);

/// Ends the process at once; the first one writes out what C's streams hold back.
void swc_process_flush_and_exit(int code) __attribute__((noreturn));
void swc_process_exit(int code) __attribute__((noreturn));

/// Reads what is there; 0 at the end, a negative errno on failure.
long swc_stream_read(int descriptor, void *buffer, unsigned long size);

/// The errno by which a non-blocking read or write says that it would have to wait.
int swc_errno_would_block(void);

/// Writes to a socket; a negative errno on failure. Raises no SIGPIPE.
long swc_stream_write(int descriptor, const void *bytes, unsigned long size);

/// A set of descriptors that one thread waits for: epoll on Linux, kqueue elsewhere. -1 on failure.
int swc_poll_open(void);
void swc_poll_close(int poll);

/// Waits for a descriptor to be readable from now on; answers 0 or an errno.
int swc_poll_add(int poll, int descriptor, unsigned long long token);

/// Waits for it to be writable as well, or no longer.
int swc_poll_watch_writing(int poll, int descriptor, unsigned long long token, int writing);
void swc_poll_remove(int poll, int descriptor);

/// Waits and writes the tokens of descriptors that are ready; answers how many.
int swc_poll_wait(int poll, int timeout_ms, unsigned long long *tokens, int capacity);

#endif
