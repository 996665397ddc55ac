//! A lock of the C library, which helgrind and ThreadSanitizer know: one that is made of an atomic variable and futex()
//! they do not see, and then report a race between all who hold it in turn.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A value that one thread at a time can use.
pub struct Lock<T> {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    value: UnsafeCell<T>,
}

// SAFETY: the mutex is made to be used by several threads. The value is only reached through a Guard, of which there is
// one at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub const fn new(value: T) -> Lock<T> {
        Lock { mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER), value: UnsafeCell::new(value) }
    }

    /// Waits until no other thread holds it. A thread that holds it itself would wait for ever.
    pub fn lock(&'static self) -> Guard<T> {
        // SAFETY: the mutex is initialised and, since it is static, never moved. To lock one of the default type cannot
        // fail.
        unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
        Guard { lock: self, stays_in_thread: PhantomData }
    }
}

/// The right to use the value of a [`Lock`], until it is dropped. The thread that locked is the one that must unlock;
/// in the child of a fork, the thread that forked.
pub struct Guard<T: 'static> {
    lock: &'static Lock<T>,
    stays_in_thread: PhantomData<*const ()>,
}

impl<T> Deref for Guard<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: no other thread uses the value before this is dropped.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: no other thread uses the value before this is dropped, and this one not by another reference.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        // SAFETY: this thread has locked it.
        unsafe { libc::pthread_mutex_unlock(self.lock.mutex.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time_uses_the_value() {
        static LOCK: Lock<u32> = Lock::new(0);
        let add = || (0..1000).for_each(|_| *LOCK.lock() += 1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(add);
            }
        });
        assert_eq!(*LOCK.lock(), 4000);
    }
}
