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
#include <stdatomic.h>
#include <stdint.h>

#define SWIFTCALL __attribute__((swiftcall))
#define CONTEXT __attribute__((swift_context))
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef SWIFTCALL void (*lock_slow_t)(uint32_t, CONTEXT void *);
typedef SWIFTCALL void (*unlock_slow_t)(CONTEXT void *);

void __tsan_release(void *address);

SWIFTCALL void swc_lock_slow(uint32_t owner, CONTEXT void *handle) __asm__(LOCK_SLOW);
SWIFTCALL void swc_unlock_slow(CONTEXT void *handle) __asm__(UNLOCK_SLOW);

SWIFTCALL void swc_lock_slow(uint32_t owner, CONTEXT void *handle) {
  static _Atomic(lock_slow_t) original;
  if (original == 0) original = (lock_slow_t)dlsym(RTLD_NEXT, LOCK_SLOW);
  lock_slow_t lock = original;
  lock(owner, handle);
  // Not `__tsan_acquire`: that does nothing while the very first release of a lock is still on its way into the sanitizer's
  // books. An atomic operation of our own waits for it.
  atomic_fetch_add_explicit((_Atomic(uint32_t) *)handle, 0, memory_order_acquire);
}

SWIFTCALL void swc_unlock_slow(CONTEXT void *handle) {
  static _Atomic(unlock_slow_t) original;
  if (original == 0) original = (unlock_slow_t)dlsym(RTLD_NEXT, UNLOCK_SLOW);
  unlock_slow_t unlock = original;
  __tsan_release(handle);
  unlock(handle);
}
#endif
#endif
