//! Memory maps, which are remembered so that an address alone is enough to undo one, and shared memory.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::mode;
use crate::sys;
use crate::sys::lock::{Guard, Lock};
use crate::sys::map::{self, Abandoned, Mapping};
use crate::text::Quoted;
use errno::Errno;
use once_cell::race::OnceBool;
use std::cell::Cell;
use std::ffi::{CStr, c_int};
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;

// --- the table of live mappings ------------------------------------------------------------------------------------

/// Addresses and sizes, the highest address first: the kernel maps downwards, so that a new map mostly comes last. (A
/// HashMap has no pointer to the beginning of its memory, which valgrind calls lost in a program that ends with a map.)
type Table = Vec<(usize, usize)>;

static MAPPINGS: Lock<Table> = Lock::new(Vec::new());

thread_local! {
    static HELD: Cell<Option<ManuallyDrop<Guard<Table>>>> = const { Cell::new(None) };
}

/// A thread that forks waits for the others to leave the table: the child would find it locked for ever.
extern "C" fn hold_table() {
    let guard = HELD.take().unwrap_or_else(|| ManuallyDrop::new(MAPPINGS.lock()));
    HELD.set(Some(guard));
}

extern "C" fn release_table() {
    if let Some(guard) = HELD.take() {
        drop(ManuallyDrop::into_inner(guard));
    }
}

/// The lock is not held while memory is mapped or unmapped.
fn with_table<T>(use_table: impl FnOnce(&mut Table) -> T) -> T {
    static HANDLERS: OnceBool = OnceBool::new();
    sys::at_fork(&HANDLERS, Some(hold_table), Some(release_table), Some(release_table));
    match HELD.take() {
        // A handler of the program that is called while the thread forks.
        Some(mut guard) => {
            let result = use_table(&mut guard);
            HELD.set(Some(guard));
            result
        }
        None => use_table(&mut MAPPINGS.lock()),
    }
}

fn position(table: &Table, address: usize) -> std::result::Result<usize, usize> {
    table.binary_search_by(|(other, _)| address.cmp(other))
}

/// A record of memory that was unmapped behind the library's back, whose address is in use again, is replaced.
fn remember(address: usize, size: usize) -> std::result::Result<(), Errno> {
    with_table(|table| {
        table.try_reserve(1).map_err(|_| Errno(libc::ENOMEM))?;
        let position = match position(table, address) {
            Ok(outdated) => {
                table.remove(outdated);
                outdated
            }
            Err(position) => position,
        };
        table.insert(position, (address, size));
        Ok(())
    })
}

fn forget(address: usize) -> Option<usize> {
    with_table(|table| {
        let position = position(table, address).ok()?;
        Some(table.remove(position).1)
    })
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
    let Some(size) = forget(address) else {
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
    let opened = match component(name) {
        // The C library would open the directory.
        None | Some(b"." | b"..") => Err(Errno(libc::EINVAL)),
        Some(_) => map::open_shared(name, flags, mode::translated(mode)),
    };
    let name = Quoted(name.to_bytes());
    opened.map_err(|e| Error::os(e, format_args!("opening shared memory {name} with flags {flags:#o}")))
}

pub fn unlink_shared(name: &CStr) -> Result<()> {
    let unlinked = match component(name) {
        None => Err(Errno(libc::ENOENT)),
        Some(_) => map::unlink_shared(name),
    };
    unlinked.map_err(|e| Error::os(e, format_args!("removing the name {} of shared memory", Quoted(name.to_bytes()))))
}

/// The name as a file of a directory, if it can be one: slashes at its beginning do not count.
fn component(name: &CStr) -> Option<&[u8]> {
    const NAME_MAX: usize = 255;
    let name = name.to_bytes();
    let start = name.iter().take_while(|byte| **byte == b'/').count();
    let name = name.get(start..)?;
    (!name.is_empty() && name.len() <= NAME_MAX && !name.contains(&b'/')).then_some(name)
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
    use std::ffi::CString;

    #[test]
    fn flags_become_protection_and_sharing() {
        assert_eq!((protection(0), sharing(0)), (libc::PROT_NONE, libc::MAP_PRIVATE));
        assert_eq!(protection(READ | WRITE | SHARED), libc::PROT_READ | libc::PROT_WRITE);
        assert_eq!(protection(EXEC | !0xF), libc::PROT_EXEC);
        assert_eq!(sharing(SHARED | WRITE), libc::MAP_SHARED);
    }

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

    #[test]
    fn the_table_replaces_and_forgets() {
        // Addresses that no map has.
        for (address, size) in [(3, 30), (1, 10), (5, 50), (3, 31)] {
            assert_eq!(remember(address, size), Ok(()));
        }
        assert!(with_table(|table| table.is_sorted_by(|a, b| a.0 > b.0)));
        assert_eq!((forget(3), forget(3), forget(2)), (Some(31), None, None));
        assert_eq!((forget(5), forget(1), forget(1)), (Some(50), Some(10), None));
    }
}
