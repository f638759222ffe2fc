// Tells ThreadSanitizer of Swift's `Mutex` under contention.
//
// The fast paths of `Mutex` are inlined into our own, instrumented code, but `_lockSlow` and `_unlockSlow` live in the
// standard library, which is not instrumented: a lock that was waited for would look like no lock at all, and every
// contended access like a race. The two functions below stand before the library's, call them, and name the lock to the
// sanitizer. In other builds this file is empty.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) && defined(__linux__)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFTCALL __attribute__((swiftcall))
#define CONTEXT __attribute__((swift_context))
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

void __tsan_acquire(void *address);
void __tsan_release(void *address);

SWIFTCALL void swc_lock_slow(uint32_t owner, CONTEXT void *handle) __asm__(LOCK_SLOW);
SWIFTCALL void swc_unlock_slow(CONTEXT void *handle) __asm__(UNLOCK_SLOW);

SWIFTCALL void swc_lock_slow(uint32_t owner, CONTEXT void *handle) {
  static SWIFTCALL void (*original)(uint32_t, CONTEXT void *);
  if (original == 0) original = (SWIFTCALL void (*)(uint32_t, CONTEXT void *))dlsym(RTLD_NEXT, LOCK_SLOW);
  original(owner, handle);
  __tsan_acquire(handle);
}

SWIFTCALL void swc_unlock_slow(CONTEXT void *handle) {
  static SWIFTCALL void (*original)(CONTEXT void *);
  if (original == 0) original = (SWIFTCALL void (*)(CONTEXT void *))dlsym(RTLD_NEXT, UNLOCK_SLOW);
  __tsan_release(handle);
  original(handle);
}
#endif
#endif
