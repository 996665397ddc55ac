// SPDX-License-Identifier: Apache-2.0
//! The search for a program in PATH, and the failures that end it.
#![forbid(unsafe_code)]

use crate::rt::errno::PreservedErrno;
use crate::sys::{Result, env, file};
use alloc::vec::Vec;
use core::ffi::CStr;
use errno::Errno;

/// The paths to try, in order.
pub struct Candidates {
    /// The paths, each terminated by a NUL byte.
    paths: Vec<u8>,
    is_searched: bool,
}

/// The maximum length of a path component, including its terminator.
const NAME_SIZE: usize = 256;

impl Candidates {
    /// If the path has a slash, it is the only candidate. Otherwise the candidates are the name in each directory of
    /// PATH.
    ///
    /// PATH is read even in a privileged program (with getenv(), not secure_getenv()): such a program can set it
    /// itself.
    pub fn of(path: &CStr) -> Result<Candidates> {
        const DEFAULT_SEARCH_PATH: &[u8] = b"/bin:/usr/bin";
        let path = path.to_bytes_with_nul();
        if path.contains(&b'/') {
            let mut candidates = Candidates { paths: Vec::new(), is_searched: false };
            candidates.add([b"", b"", path])?;
            return Ok(candidates);
        }
        match path.len() {
            1 => Err(Errno(libc::ENOENT)),
            2..=NAME_SIZE => env::getenv(c"PATH", |directories| {
                Candidates::in_directories(directories.unwrap_or(DEFAULT_SEARCH_PATH), path)
            }),
            _ => Err(Errno(libc::ENAMETOOLONG)),
        }
    }

    fn in_directories(directories: &[u8], name: &[u8]) -> Result<Candidates> {
        let mut candidates = Candidates { paths: Vec::new(), is_searched: true };
        for directory in directories.split(|byte| *byte == b':') {
            // An empty entry means the current directory.
            let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
            candidates.add([directory, slash, name])?;
        }
        Ok(candidates)
    }

    fn add(&mut self, parts: [&[u8]; 3]) -> Result<()> {
        let size = parts.iter().map(|part| part.len()).sum();
        self.paths.try_reserve(size).map_err(|_| Errno(libc::ENOMEM))?;
        parts.iter().for_each(|part| self.paths.extend_from_slice(part));
        Ok(())
    }

    /// Whether PATH is searched. If so, a shell executes a file of unknown format.
    pub fn is_searched(&self) -> bool {
        self.is_searched
    }

    pub fn iter(&self) -> impl Iterator<Item = &CStr> {
        let paths = self.paths.split_inclusive(|byte| *byte == 0);
        paths.filter_map(|path| CStr::from_bytes_with_nul(path).ok())
    }

    /// Makes relative paths absolute, for a process that changes to another directory. A path remains relative if
    /// getcwd() does not return a path that leads to the current directory, or if the result would be too long.
    ///
    /// The paths are not resolved otherwise. Symbolic links and removed files are therefore treated as if the program
    /// were executed in the current directory, and a script gets its name as the caller gave it.
    pub fn into_absolute(self) -> Result<Candidates> {
        const PATH_MAX: usize = libc::PATH_MAX as usize;
        if self.iter().all(is_absolute) {
            return Ok(self);
        }
        let mut buffer = [0; PATH_MAX];
        let Some(directory) = path_of_current_directory(&mut buffer) else { return Ok(self) };
        let mut absolute = Candidates { paths: Vec::new(), is_searched: self.is_searched };
        for path in self.iter() {
            let name = path.to_bytes_with_nul();
            let fits = directory.len() + 1 + name.len() <= PATH_MAX;
            let (before, slash): (&[u8], &[u8]) =
                if is_absolute(path) || !fits { (b"", b"") } else { (directory, b"/") };
            absolute.add([before, slash, name])?;
        }
        Ok(absolute)
    }

    /// Calls `execute`, which returns only on failure, for each path until a file exists. Returns the failure to
    /// report. Does not allocate memory.
    pub fn try_each(&self, mut execute: impl FnMut(&CStr) -> Errno) -> Errno {
        let mut last = Errno(libc::ENOENT);
        let mut denied = None;
        for path in self.iter() {
            let failure = execute(path);
            match failure.0 {
                libc::EACCES => denied = Some(failure),
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => last = failure,
                // The directory in PATH is too long to exist.
                libc::ENAMETOOLONG if self.is_searched => {}
                _ => return failure,
            }
        }
        denied.unwrap_or(last)
    }
}

pub fn is_absolute(path: &CStr) -> bool {
    path.to_bytes().starts_with(b"/")
}

/// Returns the path of the current directory without a trailing slash. None if no path leads to it.
fn path_of_current_directory(buffer: &mut [u8]) -> Option<&[u8]> {
    let _errno = PreservedErrno::new();
    let path = file::getcwd_slice(buffer).ok().filter(|path| is_absolute(path))?;
    // A directory in the path may deny search permission, or another file system may be mounted on it.
    let (named, here) = (file::stat(path.into()).ok()?, file::stat(c".".into()).ok()?);
    let is_same = (named.st_dev, named.st_ino) == (here.st_dev, here.st_ino);
    is_same.then(|| path.to_bytes().strip_suffix(b"/").unwrap_or(path.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn found_in(directories: &[u8]) -> Vec<u8> {
        Candidates::in_directories(directories, b"prog\0").unwrap().paths
    }

    #[test]
    fn a_name_is_searched_in_each_directory() {
        assert_eq!(found_in(b"/bin:relative"), b"/bin/prog\0relative/prog\0");
        assert_eq!(found_in(b":/bin:"), b"prog\0/bin/prog\0prog\0");
        assert_eq!(found_in(b""), b"prog\0");
    }

    #[test]
    fn a_path_with_a_slash_is_the_only_candidate() {
        for path in [c"./prog", c"/"] {
            let candidates = Candidates::of(path).unwrap();
            assert_eq!((candidates.paths.as_slice(), candidates.is_searched), (path.to_bytes_with_nul(), false));
        }
    }

    #[test]
    fn relative_candidates_become_absolute_unless_too_long() {
        let directory = std::env::current_dir().unwrap().into_os_string().into_encoded_bytes();
        let mut longest = vec![b'x'; libc::PATH_MAX as usize - directory.len() - 2];
        let paths = [b"/bin/prog\0prog\0./prog\0".as_slice(), &longest, b"\0x", &longest, b"\0"].concat();
        let found = Candidates { paths, is_searched: true }.into_absolute().unwrap().paths;
        longest.push(0);
        let expected = [
            b"/bin/prog\0".as_slice(),
            &[&directory, b"/prog\0".as_slice()].concat(),
            &[&directory, b"/./prog\0".as_slice()].concat(),
            &[&directory, b"/".as_slice(), &longest].concat(),
            &[b"x".as_slice(), &longest].concat(),
        ];
        assert!(found.split_inclusive(|byte| *byte == 0).eq(expected));
        let absolute = Candidates { paths: b"/x\0//y\0".to_vec(), is_searched: true };
        assert_eq!(absolute.into_absolute().unwrap().paths, b"/x\0//y\0");
    }

    #[test]
    fn empty_and_too_long_names_are_refused() {
        assert_eq!(Candidates::of(c"").err(), Some(Errno(libc::ENOENT)));
        let name = |length| std::ffi::CString::new(vec![b'x'; length]).unwrap();
        assert!(Candidates::of(&name(255)).is_ok());
        assert_eq!(Candidates::of(&name(256)).err(), Some(Errno(libc::ENAMETOOLONG)));
    }

    #[test]
    fn the_search_ends_at_the_first_file_that_exists() {
        let candidates = Candidates::in_directories(b"a:b:c", b"x\0").unwrap();
        let try_with = |failures: [i32; 3]| {
            let mut failures = failures.into_iter();
            let failure = candidates.try_each(|_| Errno(failures.next().unwrap())).0;
            (failure, failures.len())
        };
        assert_eq!(try_with([libc::ENOENT, libc::ENOTDIR, libc::ENOENT]), (libc::ENOENT, 0));
        assert_eq!(try_with([libc::EACCES, libc::ENOENT, libc::ENOTDIR]), (libc::EACCES, 0));
        assert_eq!(try_with([libc::ENAMETOOLONG, libc::E2BIG, 0]), (libc::E2BIG, 1));
    }
}
