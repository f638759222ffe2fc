#define _GNU_SOURCE
#include "CSystemShims.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/epoll.h>

int swc_poll_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

int swc_poll_add(int poll, int descriptor, unsigned long long token) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = EPOLLIN;
  event.data.u64 = token;
  return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : errno;
}

int swc_poll_watch_writing(int poll, int descriptor, unsigned long long token, int writing) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = token;
  return epoll_ctl(poll, EPOLL_CTL_MOD, descriptor, &event) == 0 ? 0 : errno;
}

void swc_poll_remove(int poll, int descriptor) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, &event);
}

int swc_poll_wait(int poll, int timeout_ms, unsigned long long *tokens, int capacity) {
  enum { MOST = 64 };
  struct epoll_event events[MOST];
  int count = epoll_wait(poll, events, capacity < MOST ? capacity : MOST, timeout_ms);
  for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
  return count < 0 ? 0 : count;
}

#else
#include <fcntl.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/time.h>

int swc_poll_open(void) {
  int poll = kqueue();
  if (poll >= 0) fcntl(poll, F_SETFD, FD_CLOEXEC);
  return poll;
}

static int change(int poll, int descriptor, int filter, int flags, unsigned long long token) {
  struct kevent event;
  EV_SET(&event, descriptor, filter, flags, 0, 0, (void *)(uintptr_t)token);
  return kevent(poll, &event, 1, NULL, 0, NULL) == 0 ? 0 : errno;
}

int swc_poll_add(int poll, int descriptor, unsigned long long token) {
  return change(poll, descriptor, EVFILT_READ, EV_ADD, token);
}

int swc_poll_watch_writing(int poll, int descriptor, unsigned long long token, int writing) {
  return change(poll, descriptor, EVFILT_WRITE, writing ? EV_ADD : EV_DELETE, token);
}

void swc_poll_remove(int poll, int descriptor) {
  change(poll, descriptor, EVFILT_READ, EV_DELETE, 0);
  change(poll, descriptor, EVFILT_WRITE, EV_DELETE, 0);
}

int swc_poll_wait(int poll, int timeout_ms, unsigned long long *tokens, int capacity) {
  enum { MOST = 64 };
  struct kevent events[MOST];
  struct timespec limit = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  int count = kevent(poll, NULL, 0, events, capacity < MOST ? capacity : MOST, timeout_ms < 0 ? NULL : &limit);
  for (int index = 0; index < count; index++) tokens[index] = (unsigned long long)(uintptr_t)events[index].udata;
  return count < 0 ? 0 : count;
}
#endif

void swc_poll_close(int poll) {
  if (poll >= 0) close(poll);
}
