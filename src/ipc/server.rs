//! A listening server, and its end while threads may be inside accept or the process has forked.
#![forbid(unsafe_code)]

use super::address::Address;
use super::slot::Slots;
use crate::error::{Error, Result};
use crate::sys::cancel::{Cancellation, WithoutCancellation};
use crate::sys::hidden::{self, Identified};
use crate::sys::{fork, socket};
use errno::Errno;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// Connections that may wait to be accepted. The kernel takes the smaller of this and net.core.somaxconn.
const BACKLOG: i32 = 4096;

pub struct Server {
    /// Close-on-exec, since nobody can name it to close it; a program that inherited it would keep the name taken.
    listener: Identified,
    /// Fork generation of the process that created the server.
    created_in: u32,
}

impl Server {
    /// Starts to listen; EADDRINUSE if another server has the address.
    pub fn create(address: &Address) -> Result<Server> {
        let _whole = WithoutCancellation::begin();
        let listener = socket::unix_seqpacket_socket(libc::SOCK_CLOEXEC)
            .and_then(hidden::above_standard_streams)
            .map_err(|e| Error::os(e, format_args!("creating a socket for server {address}")))?;
        socket::bind_unix(&listener, address.native())
            .map_err(|e| Error::os(e, format_args!("binding a server to {address}")))?;
        socket::listen(&listener, BACKLOG).map_err(|e| Error::os(e, format_args!("listening to {address}")))?;
        Slots::of(address).announce();
        Ok(Server { listener: Identified::new(listener), created_in: fork::generation() })
    }

    /// Waits for the next connection. The caller holds the server meanwhile.
    pub fn accept(&self, cancellation: Cancellation) -> Result<OwnedFd> {
        if !self.listener.is_intact() {
            let what = format_args!("accepting a connection: the program has closed the descriptor of the server");
            return Err(Error::os(Errno(libc::EBADF), what));
        }
        cancellation.point(|| socket::accept(&self.listener)).map_err(|e| match e.0 {
            // The listener is known to nobody else, so only shutting it down can have made it invalid.
            libc::EINVAL => {
                Error::new(libc::ECANCELED, format_args!("accepting a connection: the server was destroyed"))
            }
            _ => Error::os(e, format_args!("accepting a connection")),
        })
    }

    /// Stops listening; to be followed by the release of the owner's hold. `is_accepting` if a thread of this process is
    /// inside accept.
    ///
    /// Clients are refused from now on and accepts under way return. The listener is shut down for that, which reaches
    /// every process that has it. So a forked child that only disposes of its copy must not: it does so if it accepts
    /// connections itself at this moment, or if the process that created the server is gone, and otherwise leaves the
    /// server to that process.
    pub fn retire(&self, is_accepting: bool) {
        if !self.listener.is_intact() {
            return;
        }
        if fork::generation() == self.created_in || is_accepting || self.is_orphaned() {
            // It can only fail on a listener that is shut down already.
            let _ = socket::shut_down_reading(&self.listener);
        }
    }

    fn is_orphaned(&self) -> bool {
        socket::process_of(&self.listener).is_ok_and(|creator| creator > 0 && fork::has_exited(creator))
    }
}

/// Who needs the server: its owner, and every thread inside accept. Of this process alone: threads that were inside
/// accept when the process forked do not exist in the child, which starts again with the owner. Hence the count stands
/// in one word with the fork generation that it was made in.
pub struct Holders(AtomicU64);

impl Holders {
    /// The owner alone.
    pub fn new() -> Holders {
        Holders::one(fork::generation())
    }

    /// Keeps the server in memory until the matching [`Holders::release`].
    pub fn hold(&self) {
        self.add(fork::generation());
    }

    /// Gives up one hold. True if it was the last: the server is then the caller's to dispose of. Otherwise another
    /// thread may do that at any moment from now on.
    #[must_use]
    pub fn release(&self) -> bool {
        self.remove(fork::generation())
    }

    /// Whether anybody but the owner needs the server.
    pub fn is_shared(&self) -> bool {
        self.count(fork::generation()) > 1
    }

    fn one(generation: u32) -> Holders {
        Holders(AtomicU64::new(Self::word(generation, 1)))
    }

    fn word(generation: u32, count: u32) -> u64 {
        u64::from(generation) << 32 | u64::from(count)
    }

    fn count_in(word: u64, generation: u32) -> u32 {
        if (word >> 32) as u32 == generation { word as u32 } else { 1 }
    }

    fn count(&self, generation: u32) -> u32 {
        Self::count_in(self.0.load(Ordering::Acquire), generation)
    }

    fn add(&self, generation: u32) {
        self.change(generation, |count| count.wrapping_add(1));
    }

    /// True if nobody is left.
    fn remove(&self, generation: u32) -> bool {
        self.change(generation, |count| count.wrapping_sub(1)) == 0
    }

    /// The count after the change.
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
    fn the_last_holder_is_told_so() {
        let holders = Holders::one(7);
        holders.add(7);
        assert_eq!(holders.count(7), 2);
        assert!(!holders.remove(7));
        assert!(holders.remove(7));
    }

    #[test]
    fn a_forked_child_counts_from_its_owner_again() {
        let holders = Holders::one(7);
        holders.add(7);
        holders.add(7);
        assert_eq!(holders.count(8), 1);
        holders.add(8);
        assert_eq!(holders.count(8), 2);
        assert!(!holders.remove(8));
        assert!(holders.remove(8));
    }
}
