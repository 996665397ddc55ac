// SPDX-License-Identifier: Apache-2.0
//! Shared memory.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::rt::fd::OwnedFd;
use crate::rt::text::Quoted;
use crate::sys::memory;
use core::ffi::{CStr, c_int};
use errno::Errno;

pub fn open(name: &CStr, flags: c_int, mode: libc::mode_t) -> Result<OwnedFd> {
    let opened = match component(name) {
        // The C library would open the directory that contains shared memory.
        None | Some(b"." | b"..") => Err(Errno(libc::EINVAL)),
        Some(_) => memory::shm_open(name, flags, mode),
    };
    let name = Quoted(name.to_bytes());
    opened.map_err(|e| Error::os(e, format_args!("cannot open shared memory {name} with flags {flags:#o}")))
}

pub fn unlink(name: &CStr) -> Result<()> {
    let unlinked = match component(name) {
        None => Err(Errno(libc::ENOENT)),
        Some(_) => memory::shm_unlink(name),
    };
    unlinked.map_err(|e| Error::os(e, format_args!("cannot unlink shared memory {}", Quoted(name.to_bytes()))))
}

/// Returns the name without leading slashes if it is a valid file name. None otherwise.
fn component(name: &CStr) -> Option<&[u8]> {
    const NAME_MAX: usize = 255;
    let name = name.to_bytes();
    let start = name.iter().take_while(|byte| **byte == b'/').count();
    let name = name.get(start..)?;
    (!name.is_empty() && name.len() <= NAME_MAX && !name.contains(&b'/')).then_some(name)
}

/// Creates anonymous memory that can be sealed. Since Linux 6.3 it is also marked as not executable, because these
/// kernels expect one of MFD_NOEXEC_SEAL and MFD_EXEC.
pub fn anonymous() -> Result<OwnedFd> {
    const MFD_NOEXEC_SEAL: libc::c_uint = 0x8;
    const NAME: &CStr = c"mm_anon_shm";
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    match memory::memfd_create(NAME, flags | MFD_NOEXEC_SEAL) {
        Err(Errno(libc::EINVAL)) => memory::memfd_create(NAME, flags),
        result => result,
    }
    .map_err(|e| Error::os(e, format_args!("cannot create anonymous shared memory")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    #[test]
    fn names_of_shared_memory_are_single_components() {
        let longest = CString::new([b'x'; 255]).unwrap();
        let cases = [(c"x", c"x"), (c"/x", c"x"), (c"//x", c"x"), (c".", c"."), (&longest, &longest)];
        for (name, found) in cases {
            assert_eq!(component(name), Some(found.to_bytes()));
        }
        for name in [c"", c"/", c"a/b", c"/a/", &CString::new([b'x'; 256]).unwrap()] {
            assert_eq!(component(name), None);
        }
    }
}
