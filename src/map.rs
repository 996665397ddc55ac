//! Memory maps, which are remembered so that an address alone is enough to undo one, and shared memory.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::mode;
use crate::sys;
use crate::sys::map::{self, Abandoned, Mapping};
use crate::text::Quoted;
use errno::Errno;
use once_cell::sync::OnceCell;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{CStr, c_int};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

// --- the table of live mappings ------------------------------------------------------------------------------------

/// Sizes by address.
type Table = HashMap<usize, usize, BuildHasherDefault<DefaultHasher>>;

/// The lock is never held during a system call, nor over a fork.
fn table() -> MutexGuard<'static, Table> {
    static MAPPINGS: Mutex<Table> = Mutex::new(HashMap::with_hasher(BuildHasherDefault::new()));
    static HELD_OVER_FORKS: OnceCell<()> = OnceCell::new();
    HELD_OVER_FORKS.get_or_init(|| sys::at_fork(Some(hold_table), Some(release_table), Some(release_table)));
    MAPPINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    static HELD: Cell<Option<ManuallyDrop<MutexGuard<'static, Table>>>> = const { Cell::new(None) };
}

/// A thread that forks waits for the others to leave the table: the child would find it locked for ever.
extern "C" fn hold_table() {
    HELD.set(Some(ManuallyDrop::new(table())));
}

extern "C" fn release_table() {
    if let Some(guard) = HELD.take() {
        drop(ManuallyDrop::into_inner(guard));
    }
}

/// A record of memory that was unmapped behind the library's back, whose address is in use again, is replaced.
fn remember(address: usize, size: usize) -> std::result::Result<(), Errno> {
    let mut table = table();
    table.try_reserve(1).map_err(|_| Errno(libc::ENOMEM))?;
    table.insert(address, size);
    Ok(())
}

// --- maps ----------------------------------------------------------------------------------------------------------

const READ: c_int = 0x1;
const WRITE: c_int = 0x2;
const EXEC: c_int = 0x4;
const SHARED: c_int = 0x8;

pub fn map_file(fd: c_int, offset: libc::off_t, size: usize, flags: c_int) -> Result<Mapping> {
    let failed = |e| Error::os(e, format_args!("mapping {size} bytes from offset {offset} of descriptor {fd}"));
    let mapping = Mapping::new(fd, offset, size, protection(flags), sharing(flags)).map_err(failed)?;
    remember(mapping.address(), size).map_err(failed)?;
    Ok(mapping)
}

fn protection(flags: c_int) -> c_int {
    [(READ, libc::PROT_READ), (WRITE, libc::PROT_WRITE), (EXEC, libc::PROT_EXEC)]
        .iter()
        .filter(|(flag, _)| flags & flag != 0)
        .fold(libc::PROT_NONE, |protection, (_, bit)| protection | bit)
}

fn sharing(flags: c_int) -> c_int {
    if flags & SHARED != 0 { libc::MAP_SHARED } else { libc::MAP_PRIVATE }
}

/// The record goes first: as soon as the memory is gone, another thread may get its address.
pub fn unmap(memory: Abandoned) -> Result<()> {
    let address = memory.address();
    let Some(size) = table().remove(&address) else {
        let what = format_args!("unmapping address {address:#x}, where no map begins");
        return Err(Error::os(Errno(libc::EFAULT), what));
    };
    memory.unmap(size).map_err(|e| {
        // Without memory for the record the map stays for ever; there is no better end.
        let _ = remember(address, size);
        Error::os(e, format_args!("unmapping {size} bytes at address {address:#x}"))
    })
}

// --- shared memory -------------------------------------------------------------------------------------------------

pub fn open_shared(name: &CStr, flags: c_int, mode: c_int) -> Result<OwnedFd> {
    let failed = |e| {
        let name = Quoted(name.to_bytes());
        Error::os(e, format_args!("opening shared memory {name} with flags {flags:#o}"))
    };
    if !can_be_shared_name(name.to_bytes()) {
        return Err(failed(Errno(libc::EINVAL)));
    }
    map::open_shared(name, flags, mode::translated(mode)).map_err(failed)
}

/// One component of a path, slashes before it aside. The C library would take a name that is a directory.
fn can_be_shared_name(name: &[u8]) -> bool {
    const NAME_MAX: usize = 255;
    let start = name.iter().take_while(|byte| **byte == b'/').count();
    let name = name.get(start..).unwrap_or_default();
    !matches!(name, b"" | b"." | b"..") && name.len() <= NAME_MAX && !name.contains(&b'/')
}

pub fn unlink_shared(name: &CStr) -> Result<()> {
    map::unlink_shared(name)
        .map_err(|e| Error::os(e, format_args!("removing the name {} of shared memory", Quoted(name.to_bytes()))))
}

/// Memory that can be sealed, and from Linux 6.3 on is no program: newer kernels want to be told.
pub fn anonymous_shared() -> Result<OwnedFd> {
    const NO_PROGRAM: libc::c_uint = 0x8;
    const NAME: &CStr = c"mm_anon_shm";
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    match map::anonymous_file(NAME, flags | NO_PROGRAM) {
        Err(Errno(libc::EINVAL)) => map::anonymous_file(NAME, flags),
        result => result,
    }
    .map_err(|e| Error::os(e, format_args!("creating anonymous shared memory")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_protection_and_sharing() {
        assert_eq!((protection(0), sharing(0)), (libc::PROT_NONE, libc::MAP_PRIVATE));
        assert_eq!(protection(READ | WRITE | SHARED), libc::PROT_READ | libc::PROT_WRITE);
        assert_eq!(protection(EXEC | !0xF), libc::PROT_EXEC);
        assert_eq!(sharing(SHARED | WRITE), libc::MAP_SHARED);
    }

    #[test]
    fn names_of_shared_memory_are_single_components() {
        let longest = [b'x'; 255];
        for name in [b"x".as_slice(), b"/x", b"//x", b"...", &longest] {
            assert!(can_be_shared_name(name));
        }
        for name in [b"".as_slice(), b"/", b".", b"/..", b"a/b", b"/a/", &[b'x'; 256]] {
            assert!(!can_be_shared_name(name));
        }
    }
}
