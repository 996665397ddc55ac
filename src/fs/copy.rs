// SPDX-License-Identifier: Apache-2.0
//! Copying a regular file or a symbolic link.
//!
//! The content of a file is the data that read() returns. Its size, the holes that lseek() finds and the data that
//! copy_file_range() copies are only hints: some filesystems report a size that does not match the content, and any
//! file can change while it is copied.
#![forbid(unsafe_code)]

use super::flags::{FORCECOW, NOCOW, NOFOLLOW};
use super::mode;
use crate::error::{Error, Result};
use crate::os::standard_streams;
use crate::rt::fd::{Fd, OwnedFd};
use crate::rt::text::Text;
use crate::sys::path::KernelPath;
use crate::sys::{self, file, large_file};
use alloc::vec::Vec;
use core::ffi::{CStr, c_int};
use errno::Errno;

pub fn copy(from: KernelPath, to: KernelPath, flags: c_int, mode: c_int) -> Result<()> {
    if flags & !(NOFOLLOW | NOCOW | FORCECOW) != 0 {
        return Err(Error::new(libc::EINVAL, format_args!("cannot copy with flags {flags:#x}: unknown flags")));
    }
    if flags & (NOCOW | FORCECOW) == NOCOW | FORCECOW {
        return Err(Error::new(
            libc::EINVAL,
            format_args!("cannot copy with flags MM_NOCOW and MM_FORCECOW: they are mutually exclusive"),
        ));
    }
    match open_source(from, flags)? {
        Source::File(source, status) => copy_file(&source, &status, from, to, flags, mode::translated(mode))?,
        Source::Link => copy_link(from, to).map_err(|e| {
            Error::os(e, format_args!("cannot copy symbolic link {} to {}", from.shown(e), to.shown(e)))
        })?,
    }
    Ok(())
}

/// Repeats a call that a signal handler has interrupted. For the caller, a copy is one operation, so it does not fail
/// with EINTR.
fn uninterrupted<T>(mut call: impl FnMut() -> sys::Result<T>) -> sys::Result<T> {
    loop {
        match call() {
            Err(Errno(libc::EINTR)) => {}
            done => return done,
        }
    }
}

// --- the source ----------------------------------------------------------------------------------------------------

enum Source {
    File(OwnedFd, large_file::stat),
    Link,
}

/// Opens the source if it is a regular file.
///
/// The type is checked twice: before the file is opened, because opening a device or a FIFO has side effects (a tape is
/// rewound, a process that waits for a reader continues), and afterwards, because the name may refer to another file by
/// then. Until the second check, open() must neither block nor make a terminal the controlling terminal.
fn open_source(from: KernelPath, flags: c_int) -> Result<Source> {
    let is_followed = flags & NOFOLLOW == 0;
    let failed = |e: Errno| Error::os(e, format_args!("cannot open {} to copy it", from.shown(e)));
    let get_status = || if is_followed { file::stat(from) } else { file::lstat(from) };
    let status = uninterrupted(get_status).map_err(failed)?;
    if !is_followed && status.st_mode & libc::S_IFMT == libc::S_IFLNK {
        return Ok(Source::Link);
    }
    require_regular_file(&status, from)?;

    let nofollow = if is_followed { 0 } else { libc::O_NOFOLLOW };
    let open_flags = libc::O_RDONLY | libc::O_NOCTTY | nofollow;
    let source = match uninterrupted(|| standard_streams::open_above(from, open_flags | libc::O_NONBLOCK)) {
        Err(Errno(libc::ELOOP)) if !is_followed => return Ok(Source::Link),
        Err(leased @ Errno(libc::EAGAIN)) => open_leased(from, nofollow).ok_or(leased),
        opened => opened,
    }
    .map_err(failed)?;
    let status = uninterrupted(|| file::fstat(source.fd())).map_err(failed)?;
    require_regular_file(&status, from)?;
    Ok(Source::File(source, status))
}

fn require_regular_file(status: &large_file::stat, from: KernelPath) -> Result<()> {
    match status.st_mode & libc::S_IFMT {
        libc::S_IFREG => Ok(()),
        libc::S_IFDIR => {
            let e = Errno(libc::EISDIR);
            Err(Error::os(e, format_args!("cannot copy {}", from.shown(e))))
        }
        // Reading some other types never ends.
        _ => {
            let shown = from.shown(Errno(libc::EINVAL));
            Err(Error::new(libc::EINVAL, format_args!("cannot copy {shown}: not a regular file")))
        }
    }
}

/// Opens a file on which another process has a lease, and waits until the lease is broken. During this wait, the name
/// may be replaced, for example by a FIFO, so the file is opened through a file descriptor that has been checked.
fn open_leased(from: KernelPath, nofollow: c_int) -> Option<OwnedFd> {
    let found = uninterrupted(|| standard_streams::open_above(from, libc::O_PATH | nofollow)).ok()?;
    let status = file::fstat(found.fd()).ok()?;
    if status.st_mode & libc::S_IFMT != libc::S_IFREG {
        return None;
    }
    let name = Text::<32>::formatted(format_args!("/proc/self/fd/{}\0", found.fd()));
    let name = CStr::from_bytes_with_nul(name.as_bytes()).ok()?;
    uninterrupted(|| standard_streams::open_above(name.into(), libc::O_RDONLY)).ok()
}

/// Copies the target of a symbolic link unchanged. The buffer grows as needed, because the size that a link reports may
/// be wrong.
fn copy_link(from: KernelPath, to: KernelPath) -> sys::Result<()> {
    let mut target = Vec::new();
    for size in [256, 4097, 65536] {
        target.clear();
        target.try_reserve_exact(size).map_err(|_| Errno(libc::ENOMEM))?;
        target.resize(size, 0);
        let length = uninterrupted(|| file::readlink_slice(from, &mut target))?;
        if length < size {
            // The rest of the buffer is zero, so the target is terminated.
            let target = CStr::from_bytes_until_nul(&target).map_err(|_| Errno(libc::EIO))?;
            return uninterrupted(|| file::symlink(target.into(), to));
        }
    }
    Err(Errno(libc::EOVERFLOW))
}

// --- the copy ------------------------------------------------------------------------------------------------------

fn copy_file(
    source: &OwnedFd,
    source_status: &large_file::stat,
    from: KernelPath,
    to: KernelPath,
    flags: c_int,
    mode: libc::mode_t,
) -> Result<()> {
    let failed = |e: Errno| Error::os(e, format_args!("cannot copy {} to {}", from.shown(e), to.shown(e)));
    let open_flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
    let mut destination = uninterrupted(|| file::open(to, open_flags, mode)).map_err(failed)?;
    let copied = standard_streams::move_above_in_place(&mut destination)
        .and_then(|()| copy_data(source.fd(), source_status, destination.fd(), flags))
        .map_err(failed);
    // The status identifies the copy after its file descriptor is closed.
    let status = uninterrupted(|| file::fstat(destination.fd()));
    let finished = copied.and_then(|()| {
        set_special_bits(&destination, &status, mode).map_err(|e| {
            let shown = to.shown(e);
            Error::os(e, format_args!("cannot set the mode of {shown} to {mode:#o}"))
        })
    });
    if finished.is_err() {
        // While the file is open, its inode number cannot be reused.
        remove_if_same(to, &status.or_else(|_| file::fstat(destination.fd())));
        return finished;
    }
    // Some filesystems report write errors only here.
    match destination.close() {
        Err(e) if e.0 != libc::EINTR => {
            remove_if_same(to, &status);
            Err(failed(e))
        }
        _ => Ok(()),
    }
}

/// The set-user-ID, set-group-ID and sticky bits.
const SPECIAL_BITS: libc::mode_t = libc::S_ISUID | libc::S_ISGID | libc::S_ISVTX;

/// Sets the requested special bits again if writing has cleared them, which it does unless the process is privileged.
/// All other bits remain as they were set at creation, according to the umask or an access control list.
fn set_special_bits(
    destination: &OwnedFd,
    status: &sys::Result<large_file::stat>,
    mode: libc::mode_t,
) -> sys::Result<()> {
    let wanted = mode & SPECIAL_BITS;
    if wanted == 0 {
        return Ok(());
    }
    let mode = (*status)?.st_mode;
    if mode & SPECIAL_BITS == wanted {
        return Ok(());
    }
    uninterrupted(|| file::fchmod(destination.fd(), mode & 0o777 | wanted))?;
    // fchmod() silently ignores a bit that the process is not permitted to set.
    let status = uninterrupted(|| file::fstat(destination.fd()))?;
    if status.st_mode & SPECIAL_BITS == wanted { Ok(()) } else { Err(Errno(libc::EPERM)) }
}

/// Removes an incomplete copy, unless another process has renamed another file over it. The check and the removal are
/// not atomic: a file that is renamed between them is removed.
fn remove_if_same(path: KernelPath, created: &sys::Result<large_file::stat>) {
    let Ok(created) = created else { return };
    match uninterrupted(|| file::lstat(path)) {
        Ok(named) if named.st_dev == created.st_dev && named.st_ino == created.st_ino => {
            // The first error is reported.
            let _ = uninterrupted(|| file::unlink(path));
        }
        _ => {}
    }
}

fn copy_data(from: Fd, status: &large_file::stat, to: Fd, flags: c_int) -> sys::Result<()> {
    if flags & FORCECOW != 0 {
        return uninterrupted(|| file::ioctl_ficlone(from, to));
    }
    // copy_file_range() copies nothing from a file that reports the size 0.
    let in_kernel = flags & NOCOW == 0 && status.st_size > 0;
    let mut transfer = Transfer { from, to, in_kernel, buffer: Vec::new() };
    if status.st_blocks.saturating_mul(512) < status.st_size { transfer.copy_extents() } else { transfer.copy_rest() }
}

/// Copies bytes from the offset of one file to that of the other.
struct Transfer {
    from: Fd,
    to: Fd,
    /// Whether copy_file_range() is used, which may share the data.
    in_kernel: bool,
    /// The data of the last read.
    buffer: Vec<u8>,
}

impl Transfer {
    /// Small enough for the data to remain in the processor cache between read() and write().
    const BUFFER_SIZE: usize = 1 << 18;
    /// For reads that are expected to return nothing.
    const SMALL_SIZE: usize = 1 << 12;
    /// The number of bytes in one call of copy_file_range(). Old kernels reject sizes beyond the maximum file size.
    const KERNEL_CHUNK: u64 = 1 << 30;

    /// Copies the data, and leaves holes where the source has them.
    ///
    /// A hole is trusted only if the file is known to continue after it: there is data, or a byte that was read.
    /// Otherwise the rest of the file is read.
    fn copy_extents(&mut self) -> sys::Result<()> {
        let (from, to) = (self.from, self.to);
        // Everything before it has been copied.
        let mut position = 0;
        loop {
            match file::lseek(from, position, libc::SEEK_DATA) {
                Ok(start) => {
                    let end = file::lseek(from, start, libc::SEEK_HOLE).unwrap_or(start);
                    let Ok(size @ 1..) = u64::try_from(end.saturating_sub(start)) else { break };
                    file::lseek(from, start, libc::SEEK_SET)?;
                    file::lseek(to, start, libc::SEEK_SET)?;
                    match self.copy_up_to(size)? {
                        // The file ends in the hole or before it.
                        0 => break,
                        copied if copied < size => return Ok(()),
                        _ => position = end,
                    }
                }
                Err(Errno(libc::ENXIO)) => match self.copy_last_hole(position)? {
                    LastHole::Copied => return self.copy_rest(),
                    LastHole::HasData => {}
                    LastHole::Unknown => break,
                },
                // The filesystem does not report holes, and the offset is unchanged.
                Err(_) if position == 0 => return self.copy_rest(),
                Err(_) => break,
            }
        }
        file::lseek(from, position, libc::SEEK_SET)?;
        file::lseek(to, position, libc::SEEK_SET)?;
        self.copy_rest()
    }

    /// Copies the hole after the last data, and sets both offsets to its end.
    ///
    /// The size of the file may have changed since the last SEEK_DATA. Therefore this repeats SEEK_DATA and reads the
    /// last byte of the hole. If that byte exists and is zero, the hole exists.
    fn copy_last_hole(&mut self, position: large_file::off_t) -> sys::Result<LastHole> {
        let (from, to) = (self.from, self.to);
        let size = match file::lseek(from, 0, libc::SEEK_END) {
            Ok(size) if size > position => size,
            _ => return Ok(LastHole::Unknown),
        };
        match file::lseek(from, position, libc::SEEK_DATA) {
            Ok(_) => return Ok(LastHole::HasData),
            Err(Errno(libc::ENXIO)) => {}
            Err(_) => return Ok(LastHole::Unknown),
        }
        file::lseek(from, size - 1, libc::SEEK_SET)?;
        self.read_once(Self::SMALL_SIZE)?;
        if self.buffer.first() != Some(&0) {
            return Ok(LastHole::Unknown);
        }
        // Extending or writing the file after the hole creates it.
        if self.buffer.len() == 1 && uninterrupted(|| file::ftruncate(to, size)).is_ok() {
            file::lseek(to, size, libc::SEEK_SET)?;
        } else {
            file::lseek(to, size - 1, libc::SEEK_SET)?;
            self.write_all()?;
        }
        Ok(LastHole::Copied)
    }

    /// Copies up to the end of the file.
    fn copy_rest(&mut self) -> sys::Result<()> {
        self.copy_up_to(u64::MAX).map(drop)
    }

    /// Copies up to `most` bytes. The file ends where read() returns nothing. Returns the number of copied bytes.
    fn copy_up_to(&mut self, most: u64) -> sys::Result<u64> {
        let mut left = most;
        let mut size = Self::BUFFER_SIZE;
        while left > 0 && self.in_kernel {
            match file::copy_file_range(self.from, self.to, left.min(Self::KERNEL_CHUNK) as usize) {
                Ok(0) => {
                    // The kernel relies on the size that the file reports, so this may not be the end.
                    size = Self::SMALL_SIZE;
                    break;
                }
                Ok(copied) => left = left.saturating_sub(copied as u64),
                Err(Errno(libc::EINTR)) => {}
                // The reason does not matter: if it concerns the files, read() or write() reports it.
                Err(_) => self.in_kernel = false,
            }
        }
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(size);
            self.read_once(wanted)?;
            if self.buffer.is_empty() {
                break;
            }
            left = left.saturating_sub(self.buffer.len() as u64);
            self.write_all()?;
            size = Self::BUFFER_SIZE;
        }
        Ok(most - left)
    }

    /// Reads once, into the buffer.
    fn read_once(&mut self, size: usize) -> sys::Result<()> {
        self.buffer.clear();
        self.buffer.try_reserve_exact(size).map_err(|_| Errno(libc::ENOMEM))?;
        let read = uninterrupted(|| file::read_append(self.from, &mut self.buffer, size));
        if read != Err(Errno(libc::EAGAIN)) {
            return read.map(drop);
        }
        // The file provides its content over time. It is neither a FIFO nor a device, so blocking is what the caller
        // expects.
        file::fcntl_setfl(self.from, 0)?;
        uninterrupted(|| file::read_append(self.from, &mut self.buffer, size)).map(drop)
    }

    /// Writes the whole buffer.
    fn write_all(&self) -> sys::Result<()> {
        let mut rest = self.buffer.as_slice();
        while !rest.is_empty() {
            match uninterrupted(|| file::write_slice(self.to, rest))? {
                0 => return Err(Errno(libc::EIO)),
                written => rest = rest.get(written..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}

enum LastHole {
    Copied,
    /// Data has been written there since.
    HasData,
    /// The end of the hole is unknown.
    Unknown,
}
