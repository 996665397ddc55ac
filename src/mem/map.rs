// SPDX-License-Identifier: Apache-2.0
//! Memory mappings. They are recorded, so that mm_unmap() needs only the address.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::os::fork_lock::{Locked, register_handlers};
use crate::os::mapping::{LentMapping, Mapping, UnusedMemory};
use crate::rt::fd::Fd;
use crate::sys::large_file;
use alloc::vec::Vec;
use core::ffi::{c_int, c_void};
use errno::Errno;
use once_cell::race::OnceBool;

// --- the table of live mappings ------------------------------------------------------------------------------------

/// Sorted by descending address. The kernel maps downwards, so a new mapping is usually appended. (A HashMap has no
/// pointer to the start of its memory. valgrind reports that memory as lost if the program exits with a mapping.)
type Table = Vec<LentMapping>;

static MAPPINGS: Locked<Table> = Locked::new(Vec::new());

/// A thread that forks acquires the lock first. Otherwise another thread could hold it during the fork, and it would
/// never be released in the child.
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

/// Records a mapping and returns its memory for C. If memory for the record cannot be allocated, returns the mapping.
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

/// Inserts a record. If there is one with the same address, the program has unmapped that memory without the library,
/// and the record is replaced.
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

pub fn map_file(fd: Fd, offset: large_file::off_t, size: usize, flags: c_int) -> Result<*mut c_void> {
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

/// The record is removed first: as soon as the memory is unmapped, another thread may map the same address.
pub fn unmap(memory: UnusedMemory) -> Result<()> {
    let address = memory.address();
    let Some(record) = forget(address) else {
        return Err(Error::os(
            Errno(libc::EFAULT),
            format_args!("cannot unmap address {address:#x}: no mapping begins there"),
        ));
    };
    let size = record.size();
    record.unmap(memory).map_err(|(e, record)| {
        // If memory for the record cannot be allocated, the mapping can no longer be unmapped.
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
    fn flags_are_converted_to_protection_and_sharing() {
        assert_eq!((protection(0), sharing(0)), (libc::PROT_NONE, libc::MAP_PRIVATE));
        assert_eq!(protection(READ | WRITE | SHARED), libc::PROT_READ | libc::PROT_WRITE);
        assert_eq!(protection(EXEC | !0xF), libc::PROT_EXEC);
        assert_eq!(sharing(SHARED | WRITE), libc::MAP_SHARED);
    }

    #[test]
    fn records_are_replaced_and_removed() {
        let forget = |address| forget(address).map(|record| record.size());
        // Addresses that are not mapped.
        for (address, size) in [(3, 30), (1, 10), (5, 50), (3, 31)] {
            with_table(|table| insert(table, LentMapping::of_nothing(address, size)));
        }
        assert!(with_table(|table| table.is_sorted_by(|a, b| a.address() > b.address())));
        assert_eq!((forget(3), forget(3), forget(2)), (Some(31), None, None));
        assert_eq!((forget(5), forget(1), forget(1)), (Some(50), Some(10), None));
    }
}
