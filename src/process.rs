//! Processes: which program is meant, what it is given, and how it ended.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::sys;
use crate::sys::child;
use crate::sys::descriptors::Redirection;
use crate::sys::file;
use crate::sys::program::{self, Failure, Program, ShellArguments, Step, Strings};
use crate::text::Quoted;
use errno::{Errno, errno, set_errno};
use std::ffi::{CStr, c_int};
use std::fmt::Arguments;

/// Flag: the child is a daemon.
pub const DAEMONIZE: c_int = 1;
/// Flag: descriptors stay as they are, instead of being redirected.
pub const KEEP_FDS: c_int = 2;

/// What a C caller asks for.
pub struct Request<'a> {
    pub path: &'a CStr,
    /// None: descriptors stay as they are.
    pub redirections: Option<Vec<Redirection>>,
    /// None: the path alone.
    pub arguments: Option<Strings<'a>>,
    /// None: that of this process.
    pub environment: Option<Strings<'a>>,
}

/// EINVAL for flags other than those allowed.
pub fn check_flags(flags: c_int, allowed: c_int) -> Result<()> {
    match flags & !allowed {
        0 => Ok(()),
        unknown => Err(Error::new(libc::EINVAL, format_args!("flags {flags:#x}: unknown are {unknown:#x}"))),
    }
}

/// A map of descriptors, as pairs of the child's number and the parent's, in its order.
pub fn redirections(map: impl ExactSizeIterator<Item = (c_int, c_int)>) -> Result<Vec<Redirection>> {
    let mut redirections = Vec::new();
    redirections.try_reserve_exact(map.len()).map_err(|_| no_memory())?;
    redirections.extend(map.map(|pair| match pair {
        (to, from) if to == from => Redirection::Keep(to),
        (fd, -1) => Redirection::Close(fd),
        (to, from) => Redirection::Duplicate { from, to },
    }));
    Ok(redirections)
}

/// The number of the new process.
pub fn spawn(request: Request) -> Result<libc::pid_t> {
    let candidates = candidates(request.path.to_bytes_with_nul())?;
    with_program(&request, &candidates, false, child::spawn)?.map_err(|failure| explained(failure, &request))
}

/// A daemon is executed in another directory.
pub fn spawn_daemon(request: Request) -> Result<()> {
    let candidates = from_the_root(candidates(request.path.to_bytes_with_nul())?)?;
    with_program(&request, &candidates, true, child::spawn_daemon)?.map_err(|failure| explained(failure, &request))
}

/// Returns only if it fails.
pub fn execute(request: Request) -> Result<()> {
    let candidates = candidates(request.path.to_bytes_with_nul())?;
    Err(explained(with_program(&request, &candidates, false, program::execute)?, &request))
}

fn with_program<T>(
    request: &Request,
    candidates: &[u8],
    leaves_directory: bool,
    use_program: impl FnOnce(&Program) -> T,
) -> Result<T> {
    let (only_the_path, inherited) = (Strings::only(request.path), Strings::environment());
    let arguments = request.arguments.as_ref().unwrap_or(&only_the_path);
    let is_searched = !request.path.to_bytes().contains(&b'/');
    let shell = is_searched.then(|| ShellArguments::of(arguments)).transpose().map_err(|_| no_memory())?;
    Ok(use_program(&Program {
        candidates,
        arguments,
        environment: request.environment.as_ref().unwrap_or(&inherited),
        shell,
        redirections: request.redirections.as_deref(),
        leaves_directory,
    }))
}

/// Where the program of a terminated path may be, as [`Program`] wants it: there, if it has a slash, else in each
/// directory of the search path.
fn candidates(path: &[u8]) -> Result<Vec<u8>> {
    const DEFAULT_SEARCH_PATH: &[u8] = b"/bin:/usr/bin";
    let mut candidates = Vec::new();
    if path.contains(&b'/') {
        candidates.try_reserve_exact(path.len()).map_err(|_| no_memory())?;
        candidates.extend_from_slice(path);
        return Ok(candidates);
    }
    match path.len() {
        1 => return Err(Error::os(Errno(libc::ENOENT), format_args!("executing a program without a name"))),
        2..=NAME_SIZE => {}
        _ => {
            let path = Quoted(path.get(..path.len() - 1).unwrap_or_default());
            return Err(Error::os(Errno(libc::ENAMETOOLONG), format_args!("executing {path}")));
        }
    }
    sys::with_search_path(|directories| {
        let directories = directories.unwrap_or(DEFAULT_SEARCH_PATH);
        append_candidates(&mut candidates, directories, path)
    })?;
    Ok(candidates)
}

/// The longest component of a path, with its terminator.
const NAME_SIZE: usize = 256;

fn append_candidates(candidates: &mut Vec<u8>, directories: &[u8], name: &[u8]) -> Result<()> {
    for directory in directories.split(|byte| *byte == b':') {
        // An empty one is the current directory.
        let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
        append(candidates, [directory, slash, name])?;
    }
    Ok(())
}

fn append(candidates: &mut Vec<u8>, parts: [&[u8]; 3]) -> Result<()> {
    candidates.try_reserve(parts.iter().map(|part| part.len()).sum()).map_err(|_| no_memory())?;
    parts.iter().for_each(|part| candidates.extend_from_slice(part));
    Ok(())
}

/// The same paths for a process that has left the directory: the relative ones are absolute, unless the directory has
/// no path, or none that leads back to it. Nothing is resolved, so that links and files that were removed are what they
/// are to a program that is executed here; and a script finds its own name as it was given.
fn from_the_root(candidates: Vec<u8>) -> Result<Vec<u8>> {
    let paths = || candidates.split_inclusive(|byte| *byte == 0);
    if paths().all(|path| path.starts_with(b"/")) {
        return Ok(candidates);
    }
    let mut buffer = [0; libc::PATH_MAX as usize];
    let Some(directory) = path_of_this_directory(&mut buffer) else { return Ok(candidates) };
    let mut absolute = Vec::new();
    for path in paths() {
        let fits = directory.len() + 1 + path.len() <= libc::PATH_MAX as usize;
        let (before, slash): (&[u8], &[u8]) =
            if path.starts_with(b"/") || !fits { (b"", b"") } else { (directory, b"/") };
        append(&mut absolute, [before, slash, path])?;
    }
    Ok(absolute)
}

/// Of the current directory, without a slash at its end; None if no path leads to it.
fn path_of_this_directory(buffer: &mut [u8; libc::PATH_MAX as usize]) -> Option<&[u8]> {
    let errno_at_entry = errno();
    let path = file::path_of_current_directory(buffer).ok().filter(|path| path.to_bytes().starts_with(b"/"));
    // It may not be allowed to use the path, or something else may be mounted on it.
    let path = path.filter(|path| {
        let (named, here) = (file::status_of((*path).into()), file::status_of(c".".into()));
        matches!((named, here), (Ok(a), Ok(b)) if (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
    });
    set_errno(errno_at_entry);
    path.map(|path| path.to_bytes().strip_suffix(b"/").unwrap_or(path.to_bytes()))
}

#[cold]
fn explained(failure: Failure, request: &Request) -> Error {
    let path = Quoted(request.path.to_bytes());
    let os = |what: Arguments| Error::os(Errno(failure.errno), what);
    match failure.step {
        Step::Clone => os(format_args!("making a process for {path}")),
        Step::Detach => os(format_args!("making a daemon of {path}")),
        Step::Execute => os(format_args!("executing {path}")),
        Step::Begin => os(format_args!("the process for {path} was ended before it could execute it")),
        Step::Redirect => {
            let redirection = request.redirections.as_ref().and_then(|all| all.get(failure.position));
            match redirection {
                Some(Redirection::Duplicate { from, to }) => {
                    os(format_args!("giving descriptor {from} to {path} as {to}"))
                }
                _ => os(format_args!("redirecting the descriptors of {path}")),
            }
        }
    }
}

#[cold]
fn no_memory() -> Error {
    Error::os(Errno(libc::ENOMEM), format_args!("preparing to execute a program"))
}

/// Waits for a child to end, and tells how.
pub fn wait(pid: libc::pid_t) -> Result<c_int> {
    loop {
        let status = child::wait(pid).map_err(|e| Error::os(e, format_args!("waiting for process {pid}")))?;
        // One that is traced may also be told of when it stops.
        if let Some(told) = reported_status(status) {
            return Ok(told);
        }
    }
}

/// How a process ended, as C callers are told; None if it has not.
fn reported_status(status: c_int) -> Option<c_int> {
    const EXITED: c_int = 0x100;
    const SIGNALED: c_int = 0x200;
    if libc::WIFEXITED(status) {
        Some(EXITED | libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        Some(SIGNALED | libc::WTERMSIG(status))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_in(directories: &[u8]) -> Vec<u8> {
        let mut candidates = Vec::new();
        assert!(append_candidates(&mut candidates, directories, b"prog\0").is_ok());
        candidates
    }

    #[test]
    fn a_name_is_looked_for_in_each_directory() {
        assert_eq!(found_in(b"/bin:relative"), b"/bin/prog\0relative/prog\0");
        assert_eq!(found_in(b":/bin:"), b"prog\0/bin/prog\0prog\0");
        assert_eq!(found_in(b""), b"prog\0");
    }

    #[test]
    fn a_path_with_a_slash_is_the_only_candidate() {
        assert_eq!(candidates(b"./prog\0").ok(), Some(b"./prog\0".to_vec()));
        assert_eq!(candidates(b"/\0").ok(), Some(b"/\0".to_vec()));
    }

    #[test]
    fn relative_candidates_get_the_path_of_the_directory_unless_they_become_too_long() {
        let directory = std::env::current_dir().unwrap().into_os_string().into_encoded_bytes();
        let mut longest = vec![b'x'; libc::PATH_MAX as usize - directory.len() - 2];
        let given = [b"/bin/prog\0prog\0./prog\0".as_slice(), &longest, b"\0x", &longest, b"\0"].concat();
        let found = from_the_root(given).ok().unwrap();
        longest.push(0);
        let expected = [
            b"/bin/prog\0".as_slice(),
            &[&directory, b"/prog\0".as_slice()].concat(),
            &[&directory, b"/./prog\0".as_slice()].concat(),
            &[&directory, b"/".as_slice(), &longest].concat(),
            &[b"x".as_slice(), &longest].concat(),
        ];
        assert!(found.split_inclusive(|byte| *byte == 0).eq(expected));
        assert_eq!(from_the_root(b"/x\0//y\0".to_vec()).ok().unwrap(), b"/x\0//y\0");
    }

    #[test]
    fn names_that_no_file_can_have_are_refused() {
        assert!(candidates(b"\0").is_err());
        let mut name = vec![b'x'; 255];
        name.push(0);
        assert!(candidates(&name).is_ok());
        name.insert(0, b'x');
        assert!(candidates(&name).is_err());
    }

    #[test]
    fn pairs_become_redirections_in_their_order() {
        let map = [(3, 3), (0, -1), (-1, -1), (4, 3), (5, -2)];
        assert_eq!(
            redirections(map.into_iter()).ok().unwrap(),
            [
                Redirection::Keep(3),
                Redirection::Close(0),
                Redirection::Keep(-1),
                Redirection::Duplicate { from: 3, to: 4 },
                Redirection::Duplicate { from: -2, to: 5 },
            ]
        );
    }

    #[test]
    fn statuses_are_told_without_the_core_dump() {
        assert_eq!(reported_status(42 << 8), Some(0x100 | 42));
        assert_eq!(reported_status(libc::SIGABRT | 0x80), Some(0x200 | libc::SIGABRT));
        assert_eq!(reported_status(libc::SIGSTOP << 8 | 0x7f), None);
    }
}
