// SPDX-License-Identifier: Apache-2.0
//! A program with its arguments, environment and file descriptors, prepared so that executing it neither allocates
//! memory nor acquires a lock.

use super::cancel::WithoutCancellation;
use super::fd_map::{FdMap, FdMapFailure};
use super::search::{Candidates, is_absolute};
use crate::rt::fd::{Fd, OwnedFd};
use crate::sys::{Result, env, file, process};
use alloc::vec::Vec;
use core::cell::Cell;
use core::ffi::{CStr, c_char, c_int};
use core::marker::PhantomData;
use core::ptr;
use errno::Errno;

/// The program that a C caller wants to execute.
pub struct Program<'a> {
    path: &'a CStr,
    arguments: Strings<'a>,
    environment: Strings<'a>,
    /// None: file descriptors remain unchanged.
    fd_map: Option<FdMap<'a>>,
}

impl<'a> Program<'a> {
    /// If `arguments` is null, the path is the only argument. If `environment` is null, the environment of this process
    /// is used.
    ///
    /// # Safety
    /// Each array is null, or an array of pointers to strings that outlive `'a`, terminated by a null pointer, or an
    /// address where nothing is mapped. If `path` has no slash, `arguments` must not be such an address: the library
    /// reads the arguments to pass them to a shell.
    pub unsafe fn from_c(
        path: &'a CStr,
        arguments: *const *mut c_char,
        environment: *const *mut c_char,
        fd_map: Option<FdMap<'a>>,
    ) -> Program<'a> {
        let arguments = if arguments.is_null() { Strings::only(path) } else { Strings::array(arguments.cast()) };
        let environment = if environment.is_null() { env::environ_array() } else { environment.cast() };
        Program { path, arguments, environment: Strings::array(environment), fd_map }
    }

    pub fn path(&self) -> &'a CStr {
        self.path
    }

    pub fn fd_map(&self) -> Option<FdMap<'a>> {
        self.fd_map
    }
}

/// Arguments or an environment for execve().
struct Strings<'a> {
    source: Source,
    lifetime: PhantomData<&'a CStr>,
}

enum Source {
    Array(*const *const c_char),
    Only([*const c_char; 2]),
}

impl<'a> Strings<'a> {
    fn array(first: *const *const c_char) -> Strings<'a> {
        Strings { source: Source::Array(first), lifetime: PhantomData }
    }

    fn only(string: &'a CStr) -> Strings<'a> {
        Strings { source: Source::Only([string.as_ptr(), ptr::null()]), lifetime: PhantomData }
    }

    fn as_ptr(&self) -> *const *const c_char {
        match &self.source {
            Source::Array(first) => *first,
            Source::Only(strings) => strings.as_ptr(),
        }
    }
}

/// The arguments with which `/bin/sh` runs a program: the path of the program and its arguments.
struct ShellArguments<'a> {
    pointers: Vec<Cell<*const c_char>>,
    lifetime: PhantomData<&'a CStr>,
}

const SHELL: &CStr = c"/bin/sh";

impl<'a> ShellArguments<'a> {
    /// # Safety
    /// The arguments must be readable: see [`Program::from_c`].
    unsafe fn of(arguments: &Strings<'a>) -> Result<ShellArguments<'a>> {
        let first = arguments.as_ptr();
        // SAFETY: the array is terminated by a null pointer, and nothing after it is read.
        let count = (0..).take_while(|i| unsafe { !first.add(*i).read().is_null() }).count();
        let mut pointers = Vec::new();
        pointers.try_reserve_exact(count.max(1) + 2).map_err(|_| Errno(libc::ENOMEM))?;
        pointers.push(Cell::new(SHELL.as_ptr()));
        pointers.push(Cell::new(ptr::null()));
        // SAFETY: the positions are below count.
        pointers.extend((1..count).map(|i| Cell::new(unsafe { first.add(i).read() })));
        pointers.push(Cell::new(ptr::null()));
        Ok(ShellArguments { pointers, lifetime: PhantomData })
    }

    /// Executes the shell to run the program at `path`.
    fn execute(&self, path: &CStr, environment: &Strings) -> Errno {
        if let Some(argument) = self.pointers.get(1) {
            argument.set(path.as_ptr());
        }
        // SAFETY: the strings are terminated, and the arrays are terminated by null pointers. A Cell has the layout of
        // its content.
        unsafe { process::execve(SHELL, self.pointers.as_ptr().cast(), environment.as_ptr()) }
    }
}

/// Everything that a child process needs to execute a program.
pub struct Execution<'a> {
    program: &'a Program<'a>,
    candidates: Candidates,
    /// If PATH is searched: the shell runs the program if execve() fails with ENOEXEC.
    shell: Option<ShellArguments<'a>>,
    /// Whether to change to the root directory. Relative candidates are still resolved in the previous directory.
    changes_to_root: bool,
}

impl<'a> Execution<'a> {
    pub fn new(program: &'a Program<'a>) -> Result<Execution<'a>> {
        Execution::of(program, Candidates::of(program.path)?, false)
    }

    /// Prepares to execute the program in the root directory.
    pub fn in_root(program: &'a Program<'a>) -> Result<Execution<'a>> {
        Execution::of(program, Candidates::of(program.path)?.into_absolute()?, true)
    }

    fn of(program: &'a Program<'a>, candidates: Candidates, changes_to_root: bool) -> Result<Execution<'a>> {
        // SAFETY: PATH is searched only if the path has no slash. For such a path, Program::from_c() requires readable
        // arguments.
        let shell = candidates.is_searched().then(|| unsafe { ShellArguments::of(&program.arguments) }).transpose()?;
        Ok(Execution { program, candidates, shell, changes_to_root })
    }

    /// Sets up the file descriptors and the current directory of the process for the program.
    pub fn prepare(&self) -> core::result::Result<BaseDirectory, Failure> {
        if let Some(fd_map) = self.program.fd_map {
            fd_map.apply().map_err(Failure::of_fd_map)?;
        }
        if self.changes_to_root { self.change_to_root() } else { Ok(BaseDirectory::Current) }
    }

    /// The fd map has already been applied, so it cannot replace the file descriptor that is opened here.
    fn change_to_root(&self) -> core::result::Result<BaseDirectory, Failure> {
        let base = if self.candidates.iter().all(is_absolute) {
            BaseDirectory::Current
        } else {
            BaseDirectory::open_current()
        };
        file::chdir(c"/".into()).map_err(|e| Step::Detach.failed(e))?;
        Ok(base)
    }

    /// Tries the candidates. Returns only if none of them can be executed.
    pub fn execute(&self, base: &BaseDirectory) -> Errno {
        let (arguments, environment) = (&self.program.arguments, &self.program.environment);
        self.candidates.try_each(|path| {
            let failure = base.execute(path, arguments, environment);
            match &self.shell {
                // The shell can resolve a relative path only in its current directory.
                Some(shell)
                    if failure.0 == libc::ENOEXEC && (is_absolute(path) || matches!(base, BaseDirectory::Current)) =>
                {
                    shell.execute(path, environment)
                }
                _ => failure,
            }
        })
    }
}

/// The directory in which relative paths are resolved.
pub enum BaseDirectory {
    /// The current directory.
    Current,
    /// Another directory. The file descriptor is close-on-exec.
    Opened(OwnedFd),
    /// Another directory, which could not be opened.
    Unavailable(Errno),
}

impl BaseDirectory {
    /// The current directory of the process, which is about to change it.
    fn open_current() -> BaseDirectory {
        let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
        file::openat(Fd::CURRENT_DIRECTORY, c".".into(), flags)
            .map_or_else(BaseDirectory::Unavailable, BaseDirectory::Opened)
    }

    /// Returns only on failure.
    fn execute(&self, path: &CStr, arguments: &Strings, environment: &Strings) -> Errno {
        let (arguments, environment) = (arguments.as_ptr(), environment.as_ptr());
        match self {
            BaseDirectory::Opened(directory) if !is_absolute(path) => {
                // SAFETY: Program::from_c() requires such arrays.
                unsafe { process::execveat(directory.fd(), path, arguments, environment) }
            }
            BaseDirectory::Unavailable(failure) if !is_absolute(path) => *failure,
            // SAFETY: as above.
            _ => unsafe { process::execve(path, arguments, environment) },
        }
    }
}

/// The step that failed, and why. There must be no padding, because a child writes this to memory that the parent
/// reads.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Failure {
    pub step: Step,
    pub errno: c_int,
    /// The position of the element of the fd map that could not be applied.
    pub position: usize,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// No other step was reported: the child was terminated from outside.
    Begin,
    /// Creating the process.
    Clone,
    /// Creating the session, or changing to the root directory.
    Detach,
    /// Applying the fd map.
    Redirect,
    Execute,
}

impl Step {
    pub fn failed(self, Errno(errno): Errno) -> Failure {
        Failure { step: self, errno, position: 0 }
    }
}

impl Failure {
    fn of_fd_map(failure: FdMapFailure) -> Failure {
        Failure { step: Step::Redirect, errno: failure.errno.0, position: failure.position }
    }
}

/// Replaces the process image. On failure, changes that the fd map has made to the file descriptors are not undone.
pub fn execute(execution: &Execution) -> Failure {
    let _no_cancellation = WithoutCancellation::new();
    match execution.prepare() {
        Ok(base) => Step::Execute.failed(execution.execute(&base)),
        Err(failure) => failure,
    }
}
