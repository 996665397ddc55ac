// SPDX-License-Identifier: Apache-2.0
//! A lock that a thread can hold across fork(), so that the protected data is consistent in the child.
//!
//! It is a mutex of the C library, which helgrind and ThreadSanitizer understand. For a lock made of an atomic variable
//! and futex(), they would report races between the threads that hold it in turn.

use crate::sys::thread::{errno_address, pthread_atfork, pthread_mutex_lock, pthread_mutex_unlock};
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem;
use core::sync::atomic::{AtomicUsize, Ordering};
use once_cell::race::OnceBool;

/// All bytes zero is an unlocked lock.
#[repr(C)]
pub struct ForkLock {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    /// The thread that holds the lock, 0 if no thread does.
    holder: AtomicUsize,
    /// The thread that holds the lock during a fork, 0 if no thread does.
    forker: AtomicUsize,
}

// SAFETY: a mutex can be used by all threads; the other fields are atomic.
unsafe impl Sync for ForkLock {}

// The functions that use the atomic variables are not inlined: suppressions for helgrind, which does not support these,
// refer to them by name.
impl ForkLock {
    pub const fn new() -> ForkLock {
        ForkLock {
            mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER),
            holder: AtomicUsize::new(0),
            forker: AtomicUsize::new(0),
        }
    }

    /// Acquires the lock. None: the calling thread already holds it, so this is called from a signal handler or a
    /// handler of pthread_atfork().
    #[inline(never)]
    pub fn lock(&'static self) -> Option<Guard> {
        (self.holder.load(Ordering::Relaxed) != errno_address()).then(|| self.lock_or_hang())
    }

    /// Acquires the lock. Deadlocks if the calling thread already holds it.
    #[inline(never)]
    fn lock_or_hang(&'static self) -> Guard {
        // SAFETY: the mutex has the default type, is initialised and never moved.
        unsafe { pthread_mutex_lock(self.mutex.get()) };
        self.holder.store(errno_address(), Ordering::Relaxed);
        Guard { lock: self, stays_in_thread: PhantomData }
    }

    /// # Safety
    /// The calling thread holds the lock.
    #[inline(never)]
    unsafe fn unlock(&self) {
        self.holder.store(0, Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { pthread_mutex_unlock(self.mutex.get()) };
    }

    /// Must be called before a fork, in the thread that forks.
    #[inline(never)]
    pub fn lock_for_fork(&'static self) {
        if let Some(guard) = self.lock() {
            self.forker.store(errno_address(), Ordering::Relaxed);
            mem::forget(guard);
        }
    }

    /// Must be called after a fork in the parent, and also in the child unless the lock is in memory that the kernel
    /// clears there.
    #[inline(never)]
    pub fn unlock_after_fork(&'static self) {
        if self.forker.load(Ordering::Relaxed) == errno_address() {
            self.forker.store(0, Ordering::Relaxed);
            drop(Guard { lock: self, stays_in_thread: PhantomData });
        }
    }

    /// If the calling thread holds the lock for a fork, transfers the lock to the caller and returns true.
    #[inline(never)]
    fn take_from_fork(&self) -> bool {
        self.forker.compare_exchange(errno_address(), 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Reverses [`ForkLock::take_from_fork`].
    #[inline(never)]
    fn return_to_fork(&self) {
        self.forker.store(errno_address(), Ordering::Relaxed);
    }
}

/// Dropping it releases the lock. This must happen in the thread that has acquired the lock, or in its copy in a forked
/// child.
pub struct Guard {
    lock: &'static ForkLock,
    stays_in_thread: PhantomData<*const ()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: this thread has acquired the lock.
        unsafe { self.lock.unlock() };
    }
}

/// A value that one thread at a time can use, and that a forked child inherits in a consistent state.
pub struct Locked<T> {
    lock: ForkLock,
    value: UnsafeCell<T>,
}

// SAFETY: only the thread that holds the lock uses the value.
unsafe impl<T: Send> Sync for Locked<T> {}

impl<T> Locked<T> {
    pub const fn new(value: T) -> Locked<T> {
        Locked { lock: ForkLock::new(), value: UnsafeCell::new(value) }
    }

    pub fn lock_for_fork(&'static self) {
        self.lock.lock_for_fork();
    }

    pub fn unlock_after_fork(&'static self) {
        self.lock.unlock_after_fork();
    }

    /// Waits until no other thread uses the value, then calls `use_value`. Deadlocks if a signal handler that has
    /// interrupted this call calls it again.
    pub fn with<R>(&'static self, use_value: impl FnOnce(&mut T) -> R) -> R {
        // During a fork, the forking thread holds the lock, and the program's handlers of pthread_atfork() may use the
        // library.
        let is_forking = self.lock.take_from_fork();
        let _guard = (!is_forking).then(|| self.lock.lock_or_hang());
        // SAFETY: this thread holds the lock, and has no other call of this function in progress.
        let result = use_value(unsafe { &mut *self.value.get() });
        if is_forking {
            self.lock.return_to_fork();
        }
        result
    }
}

/// Registers handlers that are called before each fork(), and after it in the parent and in the child.
///
/// `registered` records that this was done. Threads do not wait for each other here, because a child forked during such
/// a wait would hang. Threads that make the first call at the same time may therefore all register the handlers, which
/// are then called more than once.
pub fn register_handlers(
    registered: &OnceBool,
    before: extern "C" fn(),
    in_parent: extern "C" fn(),
    in_child: extern "C" fn(),
) {
    registered.get_or_init(|| {
        pthread_atfork(Some(before), Some(in_parent), Some(in_child));
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_use_the_value_in_turn() {
        static VALUE: Locked<u32> = Locked::new(0);
        let add = || (0..1000).for_each(|_| VALUE.with(|value| *value += 1));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(add);
            }
        });
        assert_eq!(VALUE.with(|value| *value), 4000);
    }

    #[test]
    fn a_thread_that_forks_can_use_the_value() {
        static VALUE: Locked<u32> = Locked::new(0);
        VALUE.lock_for_fork();
        VALUE.with(|value| *value += 1);
        VALUE.lock_for_fork();
        assert_eq!(VALUE.with(|value| *value), 1);
        VALUE.unlock_after_fork();
        VALUE.unlock_after_fork();
        std::thread::spawn(|| VALUE.with(|value| *value += 1)).join().unwrap();
        assert_eq!(VALUE.with(|value| *value), 2);
    }
}
