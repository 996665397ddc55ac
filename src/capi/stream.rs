// SPDX-License-Identifier: Apache-2.0
//! The implementation of `MM_DIR`. The header declares `MM_DIR` and `mm_dirent` by hand, because Rust has no equivalent
//! of C's flexible array member.
#![allow(missing_docs, reason = "dir.h documents them")]

use crate::error::{Error, Result};
use crate::fs::flags;
use crate::os::directory::DirStream;
use alloc::vec::Vec;
use core::ffi::{c_char, c_int};
use core::mem::offset_of;
use core::ptr;

pub struct MM_DIR {
    stream: DirStream,
    /// Memory for the last entry that was returned to C. It consists of words so that it is aligned. Its length is always
    /// 0: only the capacity is used, so that the memory is not filled with zeros for each entry.
    record: Vec<u64>,
}

#[repr(C)]
pub struct mm_dirent {
    reclen: usize,
    kind: c_int,
    id: c_int,
    name: [c_char; 0],
}

impl MM_DIR {
    pub fn new(stream: DirStream) -> MM_DIR {
        MM_DIR { stream, record: Vec::new() }
    }

    pub fn rewind(&mut self) {
        self.stream.rewind();
    }

    /// Returns the next entry, null at the end.
    pub fn next_entry(&mut self) -> Result<*const mm_dirent> {
        let next =
            self.stream.next_entry().map_err(|e| Error::os(e, format_args!("cannot read the next directory entry")))?;
        let Some(entry) = next else {
            return Ok(ptr::null());
        };
        let name = entry.name.to_bytes_with_nul();
        let size = offset_of!(mm_dirent, name) + name.len();
        let words = size.div_ceil(size_of::<u64>());
        self.record.try_reserve(words).map_err(|_| {
            Error::new(libc::ENOMEM, format_args!("cannot allocate {size} bytes for a directory entry: out of memory"))
        })?;
        let record = self.record.as_mut_ptr().cast::<mm_dirent>();
        // SAFETY: the record has the capacity for size bytes and is aligned for the structure, and the name fits after it.
        unsafe {
            record.write(mm_dirent { reclen: size, kind: flags::type_of_entry(entry.kind), id: 0, name: [] });
            let space = record.cast::<u8>().add(offset_of!(mm_dirent, name));
            space.copy_from_nonoverlapping(name.as_ptr(), name.len());
        }
        Ok(record)
    }
}
