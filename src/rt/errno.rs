// SPDX-License-Identifier: Apache-2.0
//! Preserving errno.

use errno::{Errno, errno, set_errno};

/// Restores errno when dropped.
pub struct PreservedErrno(Errno);

impl PreservedErrno {
    #[must_use]
    pub fn new() -> PreservedErrno {
        PreservedErrno(errno())
    }
}

impl Drop for PreservedErrno {
    fn drop(&mut self) {
        set_errno(self.0);
    }
}
