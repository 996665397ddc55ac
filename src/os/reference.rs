// SPDX-License-Identifier: Apache-2.0
//! Reference-counted objects that several threads of a process share.
//!
//! The count is valid in one process only. Threads that had references when the process forked do not exist in the
//! child, where only the reference of the owner remains. The count is therefore stored in one word together with the
//! fork generation in which it is valid.

use super::fork;
use alloc::boxed::Box;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

/// A value with a reference count. The initial count is 1, for the owner.
pub struct Counted<T> {
    count: ReferenceCount,
    value: T,
}

impl<T: Send + Sync> Counted<T> {
    pub fn new(value: T) -> Counted<T> {
        Counted { count: ReferenceCount::one(fork::generation()), value }
    }
}

/// A reference to a counted value in a Box. Dropping the last reference frees the Box.
pub struct Reference<T>(NonNull<Counted<T>>);

impl<T> Reference<T> {
    /// Adds a reference.
    ///
    /// # Safety
    /// `counted` is a leaked Box whose owner still has its reference.
    pub unsafe fn new(counted: NonNull<Counted<T>>) -> Reference<T> {
        // SAFETY: the object exists, as promised by the caller.
        unsafe { counted.as_ref() }.count.add(fork::generation());
        Reference(counted)
    }

    /// Returns the reference of the owner.
    ///
    /// # Safety
    /// As for [`Reference::new`]. The owner calls this only once.
    pub unsafe fn of_owner(counted: NonNull<Counted<T>>) -> Reference<T> {
        Reference(counted)
    }

    /// Returns the value if this is the last reference, and otherwise the reference.
    pub fn into_value(self) -> Result<T, Reference<T>> {
        // SAFETY: the object exists while there is a reference.
        if !unsafe { self.0.as_ref() }.count.remove_last(fork::generation()) {
            return Err(self);
        }
        let last = ManuallyDrop::new(self);
        // SAFETY: the object is a leaked Box. There was no other reference, and this one is not dropped.
        Ok(unsafe { Box::from_raw(last.0.as_ptr()) }.value)
    }

    pub fn value(&self) -> &T {
        // SAFETY: the object exists while there is a reference.
        &unsafe { self.0.as_ref() }.value
    }

    /// Whether there are other references.
    pub fn is_shared(&self) -> bool {
        // SAFETY: the object exists while there is a reference.
        unsafe { self.0.as_ref() }.count.get(fork::generation()) > 1
    }
}

impl<T> Drop for Reference<T> {
    fn drop(&mut self) {
        // Only the count is borrowed, not the whole object: another thread may free the object as soon as the count has
        // changed, and only a reference to an atomic variable may dangle then. SAFETY: the object exists until the
        // count has changed.
        let count = unsafe { &(*self.0.as_ptr()).count };
        if count.remove(fork::generation()) == 0 {
            // SAFETY: the object is a leaked Box, and there is no other reference.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

struct ReferenceCount(AtomicU64);

impl ReferenceCount {
    fn one(generation: u32) -> ReferenceCount {
        ReferenceCount(AtomicU64::new(Self::word(generation, 1)))
    }

    fn word(generation: u32, count: u32) -> u64 {
        u64::from(generation) << 32 | u64::from(count)
    }

    fn count_in(word: u64, generation: u32) -> u32 {
        if (word >> 32) as u32 == generation { word as u32 } else { 1 }
    }

    fn get(&self, generation: u32) -> u32 {
        Self::count_in(self.0.load(Ordering::Acquire), generation)
    }

    fn add(&self, generation: u32) {
        self.change(generation, |count| count.wrapping_add(1));
    }

    /// Returns the number of remaining references.
    fn remove(&self, generation: u32) -> u32 {
        self.change(generation, |count| count.wrapping_sub(1))
    }

    /// Removes a reference if it is the last one.
    fn remove_last(&self, generation: u32) -> bool {
        let current = self.0.load(Ordering::Acquire);
        let none = Self::word(generation, 0);
        Self::count_in(current, generation) == 1
            && self.0.compare_exchange(current, none, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn change(&self, generation: u32, change: impl Fn(u32) -> u32) -> u32 {
        let mut current = self.0.load(Ordering::Relaxed);
        loop {
            let count = change(Self::count_in(current, generation));
            let wanted = Self::word(generation, count);
            match self.0.compare_exchange_weak(current, wanted, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return count,
                Err(changed) => current = changed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_reference_frees_the_value() {
        let value = std::sync::Arc::new(());
        let counted = NonNull::from(Box::leak(Box::new(Counted::new(value.clone()))));
        // SAFETY: the Box is leaked, and this is its owner.
        let (owner, other) = unsafe { (Reference::of_owner(counted), Reference::new(counted)) };
        assert!(owner.is_shared());
        drop(owner);
        assert!(!other.is_shared());
        assert_eq!(std::sync::Arc::strong_count(other.value()), 2);
        drop(other);
        assert_eq!(std::sync::Arc::strong_count(&value), 1);
    }

    #[test]
    fn only_the_last_reference_returns_the_value() {
        let counted = NonNull::from(Box::leak(Box::new(Counted::new(7))));
        // SAFETY: the Box is leaked, and this is its owner.
        let (owner, other) = unsafe { (Reference::of_owner(counted), Reference::new(counted)) };
        let Err(owner) = owner.into_value() else { panic!("there is another reference") };
        drop(other);
        assert_eq!(owner.into_value().ok(), Some(7));
    }

    #[test]
    fn the_last_reference_is_reported() {
        let count = ReferenceCount::one(7);
        count.add(7);
        assert_eq!(count.get(7), 2);
        assert_eq!((count.remove(7), count.remove(7)), (1, 0));
    }

    #[test]
    fn a_forked_child_starts_with_the_reference_of_the_owner() {
        let count = ReferenceCount::one(7);
        count.add(7);
        count.add(7);
        assert_eq!(count.get(8), 1);
        count.add(8);
        assert_eq!((count.remove(8), count.remove(8)), (1, 0));
    }
}
