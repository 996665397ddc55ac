// SPDX-License-Identifier: Apache-2.0
//! Publishing a listening socket at a path, and removing it.
//!
//! The socket is bound to a temporary name, gets its permissions and listens before it is renamed to its path: nobody
//! sees it earlier. A process that publishes or removes a socket holds a lock, so that of two servers exactly one gets
//! the path, and the socket of a living server is never removed. The lock is a file in the directory. It is removed
//! again, and released by the kernel if the process is killed.
#![forbid(unsafe_code)]

use super::path::{self, PathAddress, joined};
use super::seqpacket::{BACKLOG, seqpacket_socket};
use super::wakeup::fnv1a;
use crate::error::{Error, Result};
use crate::os::standard_streams::{move_above, move_above_in_place, openat_above};
use crate::rt::fd::{Fd, OwnedFd};
use crate::rt::text::{Quoted, Text};
use crate::sys::socket::SocketPath;
use crate::sys::{self, file, large_file, socket, time};
use alloc::ffi::CString;
use core::ffi::CStr;
use core::time::Duration;
use errno::Errno;

/// A socket that this process has published.
pub struct Publication {
    directory: Directory,
    names: Names,
    identity: Identity,
}

/// The names in the directory. They are allocated before the socket is published, so that it can be removed even if
/// memory is exhausted.
struct Names {
    socket: CString,
    temporary: CString,
    lock: CString,
}

impl Names {
    fn of(name: &CStr) -> sys::Result<Names> {
        Ok(Names {
            socket: joined(name.to_bytes(), b"")?,
            temporary: derived(name, "new")?,
            lock: derived(name, "lock")?,
        })
    }
}

/// A directory whose file descriptor the program may have closed, for example because it closes all file descriptors
/// that it does not know. The file descriptor may then refer to another file, which belongs to the program.
struct Directory {
    /// None only while it is dropped.
    opened: Option<OwnedFd>,
    identity: Identity,
}

impl Directory {
    fn new(opened: OwnedFd) -> sys::Result<Directory> {
        let identity = Identity::of(&file::fstat(opened.fd())?);
        Ok(Directory { opened: Some(opened), identity })
    }

    /// None if the program has closed it.
    fn fd(&self) -> Option<Fd> {
        let fd = self.opened.as_ref()?.fd();
        // If a sandbox denies a call, the file descriptor is treated as that of the directory.
        let is_other = file::fcntl_getfl(fd).map_or_else(is_closed, |flags| flags & libc::O_PATH == 0)
            || file::fstat(fd).map_or_else(is_closed, |status| Identity::of(&status) != self.identity);
        (!is_other).then_some(fd)
    }
}

fn is_closed(failure: Errno) -> bool {
    failure.0 == libc::EBADF
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.fd().is_none() {
            self.opened.take().map(OwnedFd::into_raw);
        }
    }
}

/// What a name in a directory refers to.
#[derive(Clone, Copy, PartialEq)]
struct Identity {
    device: libc::dev_t,
    inode: large_file::ino_t,
}

impl Identity {
    fn of(status: &large_file::stat) -> Identity {
        Identity { device: status.st_dev, inode: status.st_ino }
    }
}

impl Publication {
    /// Returns a socket that listens at the path with these permissions. EADDRINUSE: another server does, or the path is
    /// that of a file of another type.
    pub fn publish(address: &PathAddress, mode: libc::mode_t) -> Result<(OwnedFd, Publication)> {
        let failed = |e| Error::os(e, format_args!("cannot create a server at {address}"));
        let mut directory = address.open_directory().and_then(Directory::new).map_err(failed)?;
        let names = Names::of(address.name()).map_err(failed)?;
        let target = address.socket_path(address.name().to_bytes(), &mut directory.opened).map_err(failed)?;
        let in_directory = directory.opened.as_ref().map_or(Fd::NONE, OwnedFd::fd);
        let lock = Lock::acquire(in_directory, &names.lock).map_err(|e| {
            let name = Quoted(names.lock.to_bytes());
            Error::os(e, format_args!("cannot create a server at {address}: cannot lock {name} in its directory"))
        })?;
        let (listener, identity) =
            bind_and_rename(address, &names, &target, mode, &mut directory.opened).map_err(failed)?;
        drop(lock);
        Ok((listener, Publication { directory, names, identity }))
    }

    /// Removes the path if it still refers to this socket. A successor may have replaced it.
    pub fn withdraw(&self) {
        let Some(directory) = self.directory.fd() else { return };
        let Ok(_lock) = Lock::acquire(directory, &self.names.lock) else { return };
        if status(directory, &self.names.socket).is_ok_and(|status| Identity::of(&status) == self.identity) {
            let _ = file::unlinkat(directory, self.names.socket.as_c_str().into(), 0);
        }
    }
}

/// Must be called with the lock.
fn bind_and_rename(
    address: &PathAddress,
    names: &Names,
    target: &SocketPath,
    mode: libc::mode_t,
    in_directory: &mut Option<OwnedFd>,
) -> sys::Result<(OwnedFd, Identity)> {
    let directory = in_directory.as_ref().map_or(Fd::NONE, OwnedFd::fd);
    let Names { socket: name, temporary, .. } = names;
    let is_replacing = is_leftover(directory, name, target)?;

    let temporary_address = address.socket_path(temporary.to_bytes(), in_directory)?;
    let listener = move_above(seqpacket_socket(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK)?)?;
    // Only a process that has the lock uses this name, so a file there was left by a process that was killed.
    let _ = file::unlinkat(directory, temporary.as_c_str().into(), 0);
    // The file gets the permissions of the socket, without the bits of the umask. If a sandbox denies it, they are set
    // later.
    let _ = file::fchmod(listener.fd(), mode);
    socket::bind_to(listener.fd(), &temporary_address)?;
    let renamed = set_permissions(directory, temporary, mode).and_then(|identity| {
        socket::listen(listener.fd(), BACKLOG)?;
        if is_replacing {
            replace(directory, temporary, &temporary_address, name)?;
        } else {
            rename_to_new(directory, temporary, name)?;
        }
        Ok(identity)
    });
    if renamed.is_err() {
        let _ = file::unlinkat(directory, temporary.as_c_str().into(), 0);
    }
    match renamed {
        Ok(identity) => Ok((listener, identity)),
        Err(Errno(libc::EEXIST)) => Err(Errno(libc::EADDRINUSE)),
        Err(failure) => Err(failure),
    }
}

/// Whether the path is that of a socket that no process has any more. EADDRINUSE: it is in use.
fn is_leftover(directory: Fd, name: &CStr, target: &SocketPath) -> sys::Result<bool> {
    let mode = match status(directory, name) {
        Ok(status) if status.st_mode & libc::S_IFMT == libc::S_IFSOCK => status.st_mode & 0o7777,
        Ok(_) => return Err(Errno(libc::EADDRINUSE)),
        Err(Errno(libc::ENOENT)) => return Ok(false),
        Err(failure) => return Err(failure),
    };
    let is_in_use = match path::is_in_use(target) {
        // The mode may deny it even to the user who owns the socket. That user, and no other, can change the mode.
        Err(Errno(libc::EACCES)) => {
            if set_permissions(directory, name, mode | libc::S_IWUSR).is_err() {
                return Err(Errno(libc::EACCES));
            }
            let is_in_use = path::is_in_use(target);
            if is_in_use != Ok(false) {
                let _ = set_permissions(directory, name, mode);
            }
            is_in_use?
        }
        result => result?,
    };
    if is_in_use { Err(Errno(libc::EADDRINUSE)) } else { Ok(true) }
}

/// Sets the permissions of a socket, whatever the umask. The name is not followed: in the directory of a hostile
/// user, it may be a link by now.
fn set_permissions(directory: Fd, name: &CStr, mode: libc::mode_t) -> sys::Result<Identity> {
    let opened = openat_above(directory, name.into(), libc::O_PATH | libc::O_NOFOLLOW)?;
    let status = file::fstat(opened.fd())?;
    if status.st_mode & libc::S_IFMT != libc::S_IFSOCK {
        return Err(Errno(libc::EEXIST));
    }
    if status.st_mode & 0o7777 != mode {
        let path = joined(Text::<40>::formatted(format_args!("/proc/self/fd/{}", opened.fd())).as_bytes(), b"")?;
        file::chmod(path.as_c_str().into(), mode)?;
    }
    Ok(Identity::of(&status))
}

/// Renames the new socket to the name of a leftover. EADDRINUSE: by now, a program that does not use this library has
/// replaced the leftover.
fn replace(directory: Fd, from: &CStr, address: &SocketPath, to: &CStr) -> sys::Result<()> {
    match file::renameat2(directory, from, to, libc::RENAME_EXCHANGE) {
        Ok(()) => {}
        // By now, somebody has removed the leftover.
        Err(Errno(libc::ENOENT)) => return rename_to_new(directory, from, to),
        // The file system or a sandbox does not permit the flag.
        Err(Errno(libc::EINVAL | libc::ENOSYS | libc::EPERM)) => return file::renameat(directory, from, to),
        Err(failure) => return Err(failure),
    }
    match is_leftover(directory, from, address) {
        Ok(true) => {
            let _ = file::unlinkat(directory, from.into(), 0);
            Ok(())
        }
        Ok(false) => Ok(()),
        Err(failure) => {
            file::renameat2(directory, from, to, libc::RENAME_EXCHANGE)?;
            Err(failure)
        }
    }
}

/// EEXIST: the new name exists.
fn rename_to_new(directory: Fd, from: &CStr, to: &CStr) -> sys::Result<()> {
    match file::renameat2(directory, from, to, libc::RENAME_NOREPLACE) {
        // The file system or a sandbox does not permit the flag.
        Err(Errno(libc::EINVAL | libc::ENOSYS | libc::EPERM)) => {
            file::linkat(directory, from, to)?;
            let _ = file::unlinkat(directory, from.into(), 0);
            Ok(())
        }
        result => result,
    }
}

fn status(directory: Fd, name: &CStr) -> sys::Result<large_file::stat> {
    file::fstatat(directory, name.into(), libc::AT_SYMLINK_NOFOLLOW)
}

/// A hidden name for the server of that name. It is not too long for an address in a short directory.
fn derived(name: &CStr, suffix: &str) -> sys::Result<CString> {
    const MOST: usize = 48;
    let bytes = name.to_bytes();
    let text = match bytes.get(..MOST) {
        Some(start) if bytes.len() > MOST => {
            let mut text = Text::<80>::copied_from(b".");
            text.push(start);
            text.push(Text::<24>::formatted(format_args!("~{:016x}", fnv1a(bytes.iter().copied()))).as_bytes());
            text
        }
        _ => {
            let mut text = Text::<80>::copied_from(b".");
            text.push(bytes);
            text
        }
    };
    joined(text.as_bytes(), Text::<8>::formatted(format_args!(".{suffix}")).as_bytes())
}

/// A lock file in a directory, held until this is dropped.
struct Lock<'a> {
    /// The kernel releases the lock when the last copy of the descriptor is closed. A child that another thread forks
    /// may have a copy, but the name is removed before this one is closed, so the child's lock has no effect.
    file: OwnedFd,
    directory: Fd,
    name: &'a CStr,
}

impl<'a> Lock<'a> {
    /// The lock is held for a few system calls. A process that is stopped with it must not stop others.
    const TIMEOUT: Duration = Duration::from_secs(5);
    const PAUSE: Duration = Duration::from_millis(1);

    /// EBUSY: another process holds the lock for too long.
    fn acquire(directory: Fd, name: &'a CStr) -> sys::Result<Lock<'a>> {
        let mut pauses = (Self::TIMEOUT.as_millis() / Self::PAUSE.as_millis()) as u32;
        loop {
            let flags = libc::O_RDWR | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
            let file = file::openat_creating(directory, name.into(), flags, 0o600)?;
            match file::flock(file.fd(), libc::LOCK_EX | libc::LOCK_NB) {
                // The file is removed before the lock is released. A process that has opened it earlier must open the
                // new one.
                Ok(()) if is_same(file.fd(), directory, name)? => {
                    let mut lock = Lock { file, directory, name };
                    move_above_in_place(&mut lock.file)?;
                    return Ok(lock);
                }
                Err(Errno(libc::EINTR)) => {}
                Ok(()) | Err(Errno(libc::EWOULDBLOCK)) => {
                    pauses = pauses.checked_sub(1).ok_or(Errno(libc::EBUSY))?;
                    let _ = time::nanosleep(Self::PAUSE);
                }
                // Another process may have locked the file, so it stays.
                Err(failure) => return Err(failure),
            }
        }
    }
}

fn is_same(fd: Fd, directory: Fd, name: &CStr) -> sys::Result<bool> {
    let opened = file::fstat(fd)?;
    match status(directory, name) {
        Ok(named) => Ok(Identity::of(&opened) == Identity::of(&named)),
        Err(Errno(libc::ENOENT)) => Ok(false),
        Err(failure) => Err(failure),
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        let _ = file::unlinkat(self.directory, self.name.into(), 0);
    }
}
