// SPDX-License-Identifier: Apache-2.0
//! A program and what it is given, prepared so that executing it needs neither memory nor a lock.

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

/// What a C caller wants to have executed.
pub struct Program<'a> {
    path: &'a CStr,
    arguments: Strings<'a>,
    environment: Strings<'a>,
    /// None: descriptors stay as they are.
    fd_map: Option<FdMap<'a>>,
}

impl<'a> Program<'a> {
    /// Null for `arguments` stands for the path alone, for `environment` for that of this process.
    ///
    /// # Safety
    /// Each array is null, or points to strings that outlive `'a` and a null pointer after the last, or to memory that
    /// the process does not have. The latter holds not for `arguments` if `path` has no slash: a shell may be given
    /// them.
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

/// Arguments or an environment, for the kernel.
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

/// The arguments of `/bin/sh` for a program that it is to run: the program's own after its path.
struct ShellArguments<'a> {
    pointers: Vec<Cell<*const c_char>>,
    lifetime: PhantomData<&'a CStr>,
}

const SHELL: &CStr = c"/bin/sh";

impl<'a> ShellArguments<'a> {
    /// # Safety
    /// The arguments can be read: see [`Program::from_c`].
    unsafe fn of(arguments: &Strings<'a>) -> Result<ShellArguments<'a>> {
        let first = arguments.as_ptr();
        // SAFETY: an array with a null pointer at its end, beyond which nothing is read.
        let count = (0..).take_while(|i| unsafe { !first.add(*i).read().is_null() }).count();
        let mut pointers = Vec::new();
        pointers.try_reserve_exact(count.max(1) + 2).map_err(|_| Errno(libc::ENOMEM))?;
        pointers.push(Cell::new(SHELL.as_ptr()));
        pointers.push(Cell::new(ptr::null()));
        // SAFETY: all of them are below count.
        pointers.extend((1..count).map(|i| Cell::new(unsafe { first.add(i).read() })));
        pointers.push(Cell::new(ptr::null()));
        Ok(ShellArguments { pointers, lifetime: PhantomData })
    }

    /// Executes the shell, for the program at `path`.
    fn execute(&self, path: &CStr, environment: &Strings) -> Errno {
        if let Some(argument) = self.pointers.get(1) {
            argument.set(path.as_ptr());
        }
        // SAFETY: terminated strings, each array with a null pointer at its end. A Cell is what is in it.
        unsafe { process::execve(SHELL, self.pointers.as_ptr().cast(), environment.as_ptr()) }
    }
}

/// A program with all that a child process needs to execute it.
pub struct Execution<'a> {
    program: &'a Program<'a>,
    candidates: Candidates,
    /// For a program that is searched, which may be of a format that the kernel does not know.
    shell: Option<ShellArguments<'a>>,
    /// The program is executed in the root directory. Relative candidates start from the directory before that.
    leaves_directory: bool,
}

impl<'a> Execution<'a> {
    pub fn new(program: &'a Program<'a>) -> Result<Execution<'a>> {
        Execution::of(program, Candidates::of(program.path)?, false)
    }

    /// In the root directory.
    pub fn in_root(program: &'a Program<'a>) -> Result<Execution<'a>> {
        Execution::of(program, Candidates::of(program.path)?.made_absolute()?, true)
    }

    fn of(program: &'a Program<'a>, candidates: Candidates, leaves_directory: bool) -> Result<Execution<'a>> {
        // SAFETY: a program that is searched has a path without a slash, so that Program::from_c() was promised this.
        let shell = candidates.is_searched().then(|| unsafe { ShellArguments::of(&program.arguments) }).transpose()?;
        Ok(Execution { program, candidates, shell, leaves_directory })
    }

    /// Gives the process the descriptors of the program, and its directory.
    pub fn prepare(&self) -> core::result::Result<Start, Failure> {
        if let Some(fd_map) = self.program.fd_map {
            fd_map.apply().map_err(Failure::of_fd_map)?;
        }
        if self.leaves_directory { self.leave_directory() } else { Ok(Start::Here) }
    }

    /// A descriptor that is opened here cannot take the number of one of the map: that has been applied.
    fn leave_directory(&self) -> core::result::Result<Start, Failure> {
        let start = if self.candidates.iter().all(is_absolute) { Start::Here } else { Start::before_leaving() };
        file::chdir(c"/".into()).map_err(|e| Step::Detach.failed(e))?;
        Ok(start)
    }

    /// Returns only if none of the candidates can be executed.
    pub fn execute(&self, start: &Start) -> Errno {
        let (arguments, environment) = (&self.program.arguments, &self.program.environment);
        self.candidates.try_each(|path| {
            let failure = start.execute(path, arguments, environment);
            match &self.shell {
                // A shell can start from its own directory only.
                Some(shell) if failure.0 == libc::ENOEXEC && (is_absolute(path) || matches!(start, Start::Here)) => {
                    shell.execute(path, environment)
                }
                _ => failure,
            }
        })
    }
}

/// Where relative paths start.
pub enum Start {
    /// In the directory of the process.
    Here,
    /// In another one, which is closed when a program is executed.
    Directory(OwnedFd),
    /// In another one, which could not be opened.
    Unknown(Errno),
}

impl Start {
    /// In the directory of the process, which is about to leave it.
    fn before_leaving() -> Start {
        let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
        file::openat(Fd::CURRENT_DIRECTORY, c".".into(), flags).map_or_else(Start::Unknown, Start::Directory)
    }

    /// Returns only if that fails.
    fn execute(&self, path: &CStr, arguments: &Strings, environment: &Strings) -> Errno {
        let (arguments, environment) = (arguments.as_ptr(), environment.as_ptr());
        match self {
            Start::Directory(directory) if !is_absolute(path) => {
                // SAFETY: the arrays are as Program::from_c() was promised.
                unsafe { process::execveat(directory.fd(), path, arguments, environment) }
            }
            Start::Unknown(failure) if !is_absolute(path) => *failure,
            // SAFETY: as above.
            _ => unsafe { process::execve(path, arguments, environment) },
        }
    }
}

/// The step of executing a program that failed, and why. Without padding: it is read from memory that a child has written.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Failure {
    pub step: Step,
    pub errno: c_int,
    /// Of the element of the fd map that could not be applied.
    pub position: usize,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The child was ended from outside before any of the others failed.
    Begin,
    /// Creating a process.
    Clone,
    /// Leaving the directory and the session.
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

/// Replaces the process image. What the fd map has changed before a failure stays changed.
pub fn execute(execution: &Execution) -> Failure {
    let _whole = WithoutCancellation::new();
    match execution.prepare() {
        Ok(start) => Step::Execute.failed(execution.execute(&start)),
        Err(failure) => failure,
    }
}
