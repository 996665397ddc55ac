// SPDX-License-Identifier: Apache-2.0
//! The file descriptors that an executed program gets.

use super::fd_table;
use crate::rt::fd::Fd;
use crate::sys::{Result, file, process};
use core::ffi::c_int;
use errno::Errno;

/// An element of a map. The layout is that of `struct mm_remap_fd` in C.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FdMapEntry {
    pub child_fd: c_int,
    pub parent_fd: c_int,
}

/// A map. Its elements are applied in order, each to the result of those before it.
#[derive(Clone, Copy)]
pub struct FdMap<'a>(&'a [FdMapEntry]);

/// Which element could not be applied, and why.
pub struct FdMapFailure {
    pub position: usize,
    pub errno: Errno,
}

impl<'a> FdMap<'a> {
    /// # Safety
    /// If the map is applied to this process, no other code of the process uses a file descriptor that the map replaces
    /// or closes. The C caller is responsible for that.
    pub unsafe fn from_c(entries: &'a [FdMapEntry]) -> FdMap<'a> {
        FdMap(entries)
    }

    pub fn get(self, position: usize) -> Option<FdMapEntry> {
        self.0.get(position).copied()
    }

    /// Applies the map, and marks all file descriptors except 0, 1 and 2 and those in the map as close-on-exec. This
    /// may run in a child of vfork(): it makes only async-signal-safe calls and does not allocate memory.
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
            // Clears close-on-exec. It is not an error if the file descriptor is closed.
            let _ = file::fcntl_setfd(child_fd, 0);
            return Ok(());
        }
        // SAFETY: FdMap::from_c() requires that no other code uses them; a child has its own file descriptor table.
        unsafe {
            if parent_fd == Fd::NONE {
                // It is not an error if the file descriptor is already closed.
                let _ = process::close_directly(child_fd);
                return Ok(());
            }
            process::dup3(parent_fd, child_fd, 0)
        }
    }
}
