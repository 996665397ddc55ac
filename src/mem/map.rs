// SPDX-License-Identifier: Apache-2.0
//! Memory maps, which are remembered so that an address alone is enough to undo one.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::os::fork_lock::{Locked, register_handlers};
use crate::os::mapping::{LentMapping, Mapping, UnusedMemory};
use crate::rt::fd::Fd;
use alloc::vec::Vec;
use core::ffi::{c_int, c_void};
use errno::Errno;
use once_cell::race::OnceBool;

// --- the table of live mappings ------------------------------------------------------------------------------------

/// The highest address first: the kernel maps downwards, so that a new map mostly comes last. (A HashMap has no pointer to
/// the beginning of its memory, which valgrind calls lost in a program that ends with a map.)
type Table = Vec<LentMapping>;

static MAPPINGS: Locked<Table> = Locked::new(Vec::new());

/// A thread that forks waits for the others to finish with the table: the child would find it locked for ever.
extern "C" fn lock_table() {
    MAPPINGS.lock_for_fork();
}

extern "C" fn unlock_table() {
    MAPPINGS.unlock_after_fork();
}

/// The lock is not held while memory is mapped or unmapped.
fn with_table<T>(use_table: impl FnOnce(&mut Table) -> T) -> T {
    static HANDLERS: OnceBool = OnceBool::new();
    register_handlers(&HANDLERS, lock_table, unlock_table, unlock_table);
    MAPPINGS.with(use_table)
}

fn position(table: &Table, address: usize) -> core::result::Result<usize, usize> {
    table.binary_search_by(|other| address.cmp(&other.address()))
}

/// Hands the memory to C; returns the mapping if there is no memory for the record.
fn lend(mapping: Mapping) -> core::result::Result<*mut c_void, Mapping> {
    with_table(|table| {
        if table.try_reserve(1).is_err() {
            return Err(mapping);
        }
        let (first, record) = mapping.into_c();
        insert(table, record);
        Ok(first)
    })
}

/// A record of memory that was unmapped behind the library's back, whose address is in use again, is replaced.
fn insert(table: &mut Table, record: LentMapping) {
    match position(table, record.address()) {
        Ok(outdated) => {
            if let Some(element) = table.get_mut(outdated) {
                *element = record;
            }
        }
        Err(position) => table.insert(position, record),
    }
}

fn forget(address: usize) -> Option<LentMapping> {
    with_table(|table| {
        let position = position(table, address).ok()?;
        Some(table.remove(position))
    })
}

// --- maps ----------------------------------------------------------------------------------------------------------

pub const READ: c_int = 0x1;
pub const WRITE: c_int = 0x2;
pub const EXEC: c_int = 0x4;
pub const SHARED: c_int = 0x8;

pub fn map_file(fd: Fd, offset: libc::off_t, size: usize, flags: c_int) -> Result<*mut c_void> {
    let failed = |e| Error::os(e, format_args!("cannot map {size} bytes at offset {offset} of file descriptor {fd}"));
    let mapping = Mapping::new(fd, offset, size, protection(flags), sharing(flags)).map_err(failed)?;
    lend(mapping).map_err(|_unmapped| failed(Errno(libc::ENOMEM)))
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
pub fn unmap(memory: UnusedMemory) -> Result<()> {
    let address = memory.address();
    let Some(record) = forget(address) else {
        let what = format_args!("cannot unmap address {address:#x}: no mapping begins there");
        return Err(Error::os(Errno(libc::EFAULT), what));
    };
    let size = record.size();
    record.unmap(memory).map_err(|(e, record)| {
        // Without memory for the record the map stays for ever; there is no better end.
        with_table(|table| {
            if table.try_reserve(1).is_ok() {
                insert(table, record);
            }
        });
        Error::os(e, format_args!("cannot unmap {size} bytes at address {address:#x}"))
    })
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
    fn the_table_replaces_and_forgets() {
        let forget = |address| forget(address).map(|record| record.size());
        // Addresses that no map has.
        for (address, size) in [(3, 30), (1, 10), (5, 50), (3, 31)] {
            with_table(|table| insert(table, LentMapping::of_nothing(address, size)));
        }
        assert!(with_table(|table| table.is_sorted_by(|a, b| a.address() > b.address())));
        assert_eq!((forget(3), forget(3), forget(2)), (Some(31), None, None));
        assert_eq!((forget(5), forget(1), forget(1)), (Some(50), Some(10), None));
    }
}
