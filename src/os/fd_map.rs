// SPDX-License-Identifier: Apache-2.0
//! The file descriptors of a program that is executed.

use super::fd_table;
use crate::rt::fd::Fd;
use crate::sys::{Result, file, process};
use core::ffi::c_int;
use errno::Errno;

/// An element of a map, as the `struct mm_remap_fd` of C.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FdMapEntry {
    pub child_fd: c_int,
    pub parent_fd: c_int,
}

/// A map, of which the elements are applied in order: each finds what the ones before it have left.
#[derive(Clone, Copy)]
pub struct FdMap<'a>(&'a [FdMapEntry]);

/// The element that could not be applied, and why.
pub struct FdMapFailure {
    pub position: usize,
    pub errno: Errno,
}

impl<'a> FdMap<'a> {
    /// # Safety
    /// The C caller has named the descriptors: no other code of the process uses one that the map replaces or closes, if
    /// the map is applied to the process itself.
    pub unsafe fn from_c(entries: &'a [FdMapEntry]) -> FdMap<'a> {
        FdMap(entries)
    }

    pub fn get(self, position: usize) -> Option<FdMapEntry> {
        self.0.get(position).copied()
    }

    /// Has all descriptors but 0, 1 and 2 closed when a program is executed, except those of the map. Only
    /// async-signal-safe calls, and no allocation: this runs in the child of a vfork().
    pub fn apply(self) -> core::result::Result<(), FdMapFailure> {
        fd_table::close_on_exec_from(Fd::from_c(libc::STDERR_FILENO + 1));
        for (position, entry) in self.0.iter().enumerate() {
            entry.apply().map_err(|errno| FdMapFailure { position, errno })?;
        }
        Ok(())
    }
}

impl FdMapEntry {
    fn apply(self) -> Result<()> {
        let (child_fd, parent_fd) = (Fd::from_c(self.child_fd), Fd::from_c(self.parent_fd));
        if child_fd == parent_fd {
            // It is kept if it is open.
            let _ = file::fcntl_setfd(child_fd, 0);
            return Ok(());
        }
        // SAFETY: FdMap::from_c() was promised that the descriptors are the C caller's; in a child the table is its own.
        unsafe {
            if parent_fd == Fd::NONE {
                // It need not be open.
                let _ = process::close_directly(child_fd);
                return Ok(());
            }
            process::dup3(parent_fd, child_fd, 0)
        }
    }
}
