// SPDX-License-Identifier: Apache-2.0
//! Received file descriptors: what they refer to, and saving the content of files.

use crate::json::Json;
use crate::sys;
use crate::text::quoted;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What a file descriptor refers to.
pub struct Description {
    kind: &'static str,
    /// The target of its link in /proc: a path, or a name such as "socket:[4711]".
    target: Option<Vec<u8>>,
    access: Option<&'static str>,
    /// The size of a regular file.
    size: Option<u64>,
}

impl Description {
    pub fn of(fd: BorrowedFd) -> Description {
        let target = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))
            .ok()
            .map(|target| target.into_os_string().as_bytes().to_vec());
        let status = sys::status(fd).ok();
        let access = sys::open_flags(fd).ok().map(|flags| {
            if flags & libc::O_PATH != 0 {
                return "path only";
            }
            match flags & libc::O_ACCMODE {
                libc::O_RDONLY => "read-only",
                libc::O_WRONLY => "write-only",
                _ => "read-write",
            }
        });
        let size = status.filter(|(mode, _)| is_regular(*mode)).map(|(_, size)| size);
        let kind = status.map_or("unknown", |(mode, _)| kind(mode, target.as_deref()));
        Description { kind, target, access, size }
    }

    /// The members: `type` (regular, memory, directory, fifo, socket, character, block, link, anonymous, unknown),
    /// `target` (its link in /proc, null without /proc), `access` (read-only, write-only, read-write, path only, null if
    /// it is not known), `size` (of a regular file, else null).
    pub fn json(&self) -> Json {
        Json::Object(vec![
            ("type", Json::text(self.kind)),
            ("target", Json::or_null(self.target.as_ref(), |target| Json::text(String::from_utf8_lossy(target)))),
            ("access", Json::or_null(self.access, Json::text)),
            ("size", Json::or_null(self.size, |size| Json::Integer(i64::try_from(size).unwrap_or(i64::MAX)))),
        ])
    }
}

fn is_regular(mode: u32) -> bool {
    mode & libc::S_IFMT == libc::S_IFREG
}

fn kind(mode: u32, target: Option<&[u8]>) -> &'static str {
    match mode & libc::S_IFMT {
        libc::S_IFREG if target.is_some_and(|target| target.starts_with(b"/memfd:")) => "memory",
        libc::S_IFREG => "regular",
        libc::S_IFDIR => "directory",
        libc::S_IFIFO => "fifo",
        libc::S_IFSOCK => "socket",
        libc::S_IFCHR => "character",
        libc::S_IFBLK => "block",
        libc::S_IFLNK => "link",
        _ => "anonymous",
    }
}

/// For example: regular file "/etc/hosts", read-only.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self.kind {
            "regular" => "regular file",
            "memory" => "memory file",
            "character" => "character device",
            "block" => "block device",
            "link" => "symbolic link",
            "anonymous" | "unknown" => "file",
            other => other,
        })?;
        if let Some(target) = &self.target {
            write!(f, " {}", quoted(target))?;
        }
        if let Some(access) = self.access {
            write!(f, ", {access}")?;
        }
        Ok(())
    }
}

/// The directory of --save-fds.
pub struct Saving {
    directory: PathBuf,
    next: u64,
}

impl Saving {
    /// The largest file that is saved. A file without content can have any size.
    const MOST: u64 = 1 << 30;

    /// How much is saved of a file that reports no size.
    const MOST_OF_UNKNOWN_SIZE: u64 = 1 << 20;

    pub fn new(directory: PathBuf) -> io::Result<Saving> {
        if !std::fs::metadata(&directory)?.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::ENOTDIR));
        }
        Ok(Saving { directory, next: 1 })
    }

    /// Copies the content of a regular file into a new file of the directory: 1, 2 and so on. Files that exist are
    /// skipped. Returns None for a file of another type: reading it may never end.
    pub fn save(&mut self, fd: BorrowedFd) -> io::Result<Option<PathBuf>> {
        let (mode, size) = sys::status(fd)?;
        if !is_regular(mode) {
            return Ok(None);
        }
        if size > Self::MOST {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        }
        let (path, mut copy) = self.create()?;
        let original = File::from(fd.try_clone_to_owned()?);
        // The files of /proc have no size.
        let copied = match size {
            0 => copy_content(&original, Self::MOST_OF_UNKNOWN_SIZE, &mut copy).map(drop),
            _ => copy_content(&original, size, &mut copy).and_then(|copied| match copied {
                _ if copied == size => Ok(()),
                _ => Err(io::Error::other("it has become smaller")),
            }),
        };
        match copied {
            Ok(()) => Ok(Some(path)),
            Err(error) => {
                // What is left of it would look like the file.
                let _ = std::fs::remove_file(&path);
                Err(error)
            }
        }
    }

    fn create(&mut self) -> io::Result<(PathBuf, File)> {
        loop {
            let path = self.directory.join(self.next.to_string());
            self.next += 1;
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => return Ok((path, result?)),
            }
        }
    }
}

/// Copies at most the size that the file had at the beginning: another process may be appending to it. Returns how much
/// was copied. The file position, which the sender shares, is not changed.
fn copy_content(from: &File, size: u64, to: &mut File) -> io::Result<u64> {
    let mut buffer = vec![0; 64 << 10];
    let mut position = 0;
    while position < size {
        let wanted = usize::try_from(size - position).map_or(buffer.len(), |left| left.min(buffer.len()));
        let Some(space) = buffer.get_mut(..wanted) else { break };
        let count = match from.read_at(space, position) {
            Ok(0) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        };
        to.write_all(space.get(..count).unwrap_or(space))?;
        position += count as u64;
    }
    Ok(position)
}

/// Shows a path in a message.
pub fn shown(path: &Path) -> impl fmt::Display + '_ {
    quoted(path.as_os_str().as_bytes())
}
