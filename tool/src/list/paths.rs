// SPDX-License-Identifier: Apache-2.0
//! The paths of servers. The kernel reports only the path that a socket was bound to. The library binds it to a
//! temporary name, and renames it: see src/ipc/publish.rs. Others bind it to a path relative to their directory.

use super::diag::File;
use super::processes::Process;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

#[derive(Debug, PartialEq, Eq)]
pub struct Location {
    pub path: Vec<u8>,
    /// Whether the socket is at this path. None: it is not known.
    pub is_found: Option<bool>,
}

/// Finds the path of a socket that was bound to `bound`.
pub fn locate(bound: &[u8], file: Option<File>, processes: &[Rc<Process>]) -> Location {
    let (directory, name) = split(bound);
    let published = published(name);
    let Some(file) = file else {
        return Location { path: joined(directory, published.unwrap_or(name)), is_found: None };
    };
    let places = places(directory, processes);
    for place in &places {
        let names = published.into_iter().chain([name]);
        let is_here = |name: &&[u8]| is_at(&place.real.join(OsStr::from_bytes(name)), file);
        let found = names.into_iter().find(is_here).map(<[u8]>::to_vec).or_else(|| renamed(&place.real, name, file));
        if let Some(name) = found {
            return Location { path: joined(&place.shown, &name), is_found: Some(true) };
        }
    }
    // Of a relative path, the directory is not certain.
    let path = joined(directory, published.unwrap_or(name));
    let is_found = directory.starts_with(b"/").then_some(false);
    Location { path, is_found }
}

/// The device and inode of the socket at a path, as [`File`] has them. None: there is no socket, or it may not be seen.
pub fn file_at(path: &Path) -> Option<File> {
    let status = fs::metadata(path).ok()?;
    let device = status.dev();
    // From the encoding of the C library to that of the kernel.
    let (major, minor) = (libc::major(device), libc::minor(device));
    status.file_type().is_socket().then_some(File { device: major << 20 | minor, inode: status.ino() as u32 })
}

/// Whether a socket with that file is the one at the path. The device is not compared: some file systems, for example
/// btrfs and overlayfs, report another one to programs.
fn is_at(path: &Path, file: File) -> bool {
    file_at(path).is_some_and(|found| found.inode == file.inode)
}

/// Whether a socket that was bound to `bound` can have the name of `path`: its name, or the published one.
pub fn has_name_of(bound: &[u8], path: &[u8]) -> bool {
    let (name, other) = (split(bound).1, split(path).1);
    name == other || published(name) == Some(other)
}

/// A directory that a path may be in.
struct Place {
    real: PathBuf,
    shown: Vec<u8>,
}

fn places(directory: &[u8], processes: &[Rc<Process>]) -> Vec<Place> {
    let of_process = |name: &str| {
        let links = processes.iter().map(|process| PathBuf::from(format!("/proc/{}/{name}", process.pid)));
        links.filter_map(|link| Some((fs::read_link(&link).ok()?, link))).collect::<Vec<_>>()
    };
    // The library binds long paths in this way.
    if let Some(fd) = directory.strip_prefix(b"/proc/self/fd/").and_then(|rest| rest.strip_suffix(b"/")) {
        let is_number = fd.iter().all(u8::is_ascii_digit);
        let fd = String::from_utf8_lossy(fd);
        let opened = if is_number { of_process(&format!("fd/{fd}")) } else { Vec::new() };
        let place = |(shown, real): (PathBuf, PathBuf)| {
            let mut shown = shown.into_os_string().into_vec();
            shown.push(b'/');
            Place { real, shown }
        };
        return opened.into_iter().map(place).collect();
    }
    if directory.starts_with(b"/") {
        return vec![Place { real: Path::new(OsStr::from_bytes(directory)).to_owned(), shown: directory.to_owned() }];
    }
    let place = |(working_directory, _): (PathBuf, PathBuf)| {
        let mut shown = working_directory.into_os_string().into_vec();
        if !shown.ends_with(b"/") {
            shown.push(b'/');
        }
        shown.extend(directory.strip_prefix(b"./").unwrap_or(directory));
        Place { real: PathBuf::from(OsStr::from_bytes(&shown)), shown }
    };
    of_process("cwd").into_iter().map(place).collect()
}

/// Splits a path after its last slash.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let end = path.iter().rposition(|byte| *byte == b'/').map_or(0, |position| position + 1);
    path.split_at_checked(end).unwrap_or((b"", path))
}

fn joined(directory: &[u8], name: &[u8]) -> Vec<u8> {
    [directory, name].concat()
}

/// The name under which the library publishes a socket that has the temporary name. None: it is not such a name, or it
/// is a shortened one.
fn published(temporary: &[u8]) -> Option<&[u8]> {
    let name = temporary.strip_prefix(b".")?.strip_suffix(b".new")?;
    (!name.is_empty() && shortened(name).is_none()).then_some(name)
}

/// The beginning of a shortened name: what is before `~` and a hash of 16 digits.
fn shortened(name: &[u8]) -> Option<&[u8]> {
    const START: usize = 48;
    let (start, hash) = name.split_at_checked(START)?;
    (hash.len() == 17 && hash.starts_with(b"~")).then_some(start)
}

/// Searches the directory for the socket with a shortened temporary name.
fn renamed(directory: &Path, temporary: &[u8], file: File) -> Option<Vec<u8>> {
    let start = shortened(temporary.strip_prefix(b".")?.strip_suffix(b".new")?)?;
    let mut names = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.file_name());
    let found = names.find(|name| name.as_bytes().starts_with(start) && is_at(&directory.join(name), file));
    found.map(OsStringExt::into_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    /// A directory that is removed with what is in it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("mmipc-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Scratch(path)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn located(bound: &Path, file: File) -> (String, Option<bool>) {
        let location = locate(bound.as_os_str().as_bytes(), Some(file), &[]);
        (String::from_utf8(location.path).unwrap(), location.is_found)
    }

    #[test]
    fn a_renamed_socket_is_found() {
        let scratch = Scratch::new("renamed");
        let long = "x".repeat(60);
        let shortened = format!(".{}~0123456789abcdef.new", "x".repeat(48));
        for (bound, path) in
            [("plain", "plain"), (".demo.new", "demo"), (".kept.new", ".kept.new"), (&shortened, &long)]
        {
            let (bound, path) = (scratch.path(bound), scratch.path(path));
            let _socket = UnixDatagram::bind(&bound).unwrap();
            fs::rename(&bound, &path).unwrap();
            let file = file_at(&path).unwrap();
            assert_eq!(located(&bound, file), (path.to_str().unwrap().to_owned(), Some(true)));
        }
    }

    #[test]
    fn a_removed_socket_is_not_found() {
        let scratch = Scratch::new("removed");
        let path = scratch.path("demo");
        let _socket = UnixDatagram::bind(&path).unwrap();
        let file = file_at(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let text = path.to_str().unwrap().to_owned();
        assert_eq!(located(&path, file), (text.clone(), Some(false)));
        assert_eq!(located(&scratch.path(".demo.new"), file), (text.clone(), Some(false)));
        // Another one has replaced it.
        let _other = UnixDatagram::bind(scratch.path("other")).unwrap();
        let _socket = UnixDatagram::bind(&path).unwrap();
        let file = file_at(&scratch.path("other")).unwrap();
        assert_eq!(located(&path, file), (text, Some(false)));
    }

    #[test]
    fn an_unknown_directory_is_no_problem() {
        let file = File { device: 1, inode: 2 };
        for (bound, is_found) in
            [("/proc/self/fd/3/x", Some(false)), ("x", None), ("", None), ("/proc/self/fd/../x", Some(false))]
        {
            assert_eq!(located(Path::new(bound), file), (bound.to_owned(), is_found));
        }
        let location = locate(b"/run/.x.new", None, &[]);
        assert_eq!((location.path, location.is_found), (b"/run/x".to_vec(), None));
    }

    #[test]
    fn names_are_compared_without_directories() {
        assert!(has_name_of(b"/run/demo", b"./demo"));
        assert!(has_name_of(b"/run/.demo.new", b"demo"));
        assert!(!has_name_of(b"/run/.demo.new", b"dem"));
        assert!(!has_name_of(b".new", b""));
    }
}
