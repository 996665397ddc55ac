// SPDX-License-Identifier: Apache-2.0
//! A lock that a thread can hold across fork(), so that the child finds what the lock protects in a consistent state.
//!
//! It is a mutex of the C library, which helgrind and ThreadSanitizer know. They do not see a lock that consists of an
//! atomic variable and futex(), and report a race between all threads that hold it in turn.

use crate::sys::thread::{errno_address, pthread_atfork, pthread_mutex_lock, pthread_mutex_unlock};
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem;
use core::sync::atomic::{AtomicUsize, Ordering};
use once_cell::race::OnceBool;

/// Unlocked if all bytes are zero.
#[repr(C)]
pub struct ForkLock {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    /// The thread that holds the lock; 0 if none does.
    holder: AtomicUsize,
    /// The thread that holds the lock for a fork.
    forker: AtomicUsize,
}

// SAFETY: a mutex is made to be used by all threads; the rest is atomic.
unsafe impl Sync for ForkLock {}

// Functions that use the atomic variables are not inlined, so that a suppression for helgrind, which does not know these,
// can name them.
impl ForkLock {
    pub const fn new() -> ForkLock {
        ForkLock {
            mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER),
            holder: AtomicUsize::new(0),
            forker: AtomicUsize::new(0),
        }
    }

    /// Waits until no other thread holds the lock. None if the calling thread holds it: it is in a signal handler, or in
    /// a handler of pthread_atfork().
    #[inline(never)]
    pub fn lock(&'static self) -> Option<Guard> {
        (self.holder.load(Ordering::Relaxed) != errno_address()).then(|| self.lock_or_hang())
    }

    /// The same, except that a thread that holds the lock waits for ever.
    #[inline(never)]
    fn lock_or_hang(&'static self) -> Guard {
        // SAFETY: of the default type, initialised and never moved.
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

    /// To be called before a fork by the thread that forks.
    #[inline(never)]
    pub fn lock_for_fork(&'static self) {
        if let Some(guard) = self.lock() {
            self.forker.store(errno_address(), Ordering::Relaxed);
            mem::forget(guard);
        }
    }

    /// To be called after a fork, in the parent and in the child if the lock protects memory of both.
    #[inline(never)]
    pub fn unlock_after_fork(&'static self) {
        if self.forker.load(Ordering::Relaxed) == errno_address() {
            self.forker.store(0, Ordering::Relaxed);
            drop(Guard { lock: self, stays_in_thread: PhantomData });
        }
    }

    /// Whether the calling thread holds the lock for a fork. It no longer does so afterwards.
    #[inline(never)]
    fn take_from_fork(&self) -> bool {
        self.forker.compare_exchange(errno_address(), 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Undoes [`ForkLock::take_from_fork`].
    #[inline(never)]
    fn return_to_fork(&self) {
        self.forker.store(errno_address(), Ordering::Relaxed);
    }
}

/// Unlocks when dropped. The thread that has locked must also unlock; in the child of a fork, the thread that forked.
pub struct Guard {
    lock: &'static ForkLock,
    stays_in_thread: PhantomData<*const ()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: this thread has locked it.
        unsafe { self.lock.unlock() };
    }
}

/// A value that one thread at a time can use, and that is the same in the child of a fork.
pub struct Locked<T> {
    lock: ForkLock,
    value: UnsafeCell<T>,
}

// SAFETY: the value is used by the thread that holds the lock alone.
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

    /// Waits until no other thread uses the value. A signal handler that interrupts the same thread in this waits for
    /// ever.
    pub fn with<R>(&'static self, use_value: impl FnOnce(&mut T) -> R) -> R {
        // A thread that forks holds the lock, and may run handlers of the program which use the library.
        let is_forking = self.lock.take_from_fork();
        let _guard = (!is_forking).then(|| self.lock.lock_or_hang());
        // SAFETY: this thread holds the lock, and no other call of this is under way in it.
        let result = use_value(unsafe { &mut *self.value.get() });
        if is_forking {
            self.lock.return_to_fork();
        }
        result
    }
}

/// Has these called before each fork(), and after it in the parent and in the child.
///
/// `registered` remembers that. No thread waits for another to do so: a child that was forked in between would wait for
/// ever. So threads that come first at the same time each register the handlers, which are then called more than once.
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
    fn one_thread_at_a_time_uses_the_value() {
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
