//! A program and what it is given, prepared so that becoming it needs neither memory nor a lock.

use super::cancel::WithoutCancellation;
use super::descriptors::{self, Redirection};
use super::{Result, check, own};
use errno::{Errno, errno};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

/// A program to be executed.
pub struct Program<'a> {
    /// Where it may be: paths with their terminators, one after the other. The first that can be executed is.
    pub candidates: &'a [u8],
    pub arguments: &'a Strings<'a>,
    pub environment: &'a Strings<'a>,
    /// For a program that is searched: arguments of a shell, which runs a file of unknown format.
    pub shell: Option<ShellArguments<'a>>,
    /// What it is given instead of every descriptor from 3 on; None leaves all as they are.
    pub redirections: Option<&'a [Redirection]>,
    /// It is executed in the root directory. Candidates that are relative start from the directory before that.
    pub leaves_directory: bool,
}

/// Arguments or an environment, on their way to the kernel.
pub struct Strings<'a> {
    source: Source,
    lifetime: PhantomData<&'a CStr>,
}

enum Source {
    Array(*const *const c_char),
    Only([*const c_char; 2]),
}

impl<'a> Strings<'a> {
    /// None for a null pointer.
    ///
    /// # Safety
    /// `array` is null, or points to strings that outlive `'a` and a null pointer after the last, or to memory that the
    /// process does not have.
    pub unsafe fn from_raw(array: *const *mut c_char) -> Option<Strings<'a>> {
        (!array.is_null()).then_some(Strings { source: Source::Array(array.cast()), lifetime: PhantomData })
    }

    pub fn only(string: &'a CStr) -> Strings<'a> {
        Strings { source: Source::Only([string.as_ptr(), ptr::null()]), lifetime: PhantomData }
    }

    /// The environment of this process as it is now.
    pub fn environment() -> Strings<'a> {
        unsafe extern "C" {
            static mut environ: *const *const c_char;
        }
        // SAFETY: the C library defines it. That no other thread changes the environment meanwhile is the program's
        // duty, as with every execv() of C.
        Strings { source: Source::Array(unsafe { environ }), lifetime: PhantomData }
    }

    fn as_ptr(&self) -> *const *const c_char {
        match &self.source {
            Source::Array(first) => *first,
            Source::Only(strings) => strings.as_ptr(),
        }
    }
}

/// The arguments of `/bin/sh` for a program that it is to run: the program's own after its path.
pub struct ShellArguments<'a> {
    pointers: Vec<Cell<*const c_char>>,
    lifetime: PhantomData<&'a CStr>,
}

const SHELL: &CStr = c"/bin/sh";

impl<'a> ShellArguments<'a> {
    /// ENOMEM if there is no memory for them.
    pub fn of(arguments: &Strings<'a>) -> Result<ShellArguments<'a>> {
        let first = arguments.as_ptr();
        // SAFETY: Strings are an array with a null pointer at its end, beyond which nothing is read. (An array that the
        // process does not have ends it here, as it would in execvp().)
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
        if let Some(slot) = self.pointers.get(1) {
            slot.set(path.as_ptr());
        }
        // SAFETY: terminated strings, each array with a null pointer at its end. A Cell is what is in it.
        unsafe { libc::execve(SHELL.as_ptr(), self.pointers.as_ptr().cast(), environment.as_ptr()) };
        errno()
    }
}

impl Program<'_> {
    fn paths(&self) -> impl Iterator<Item = &CStr> {
        let paths = self.candidates.split_inclusive(|byte| *byte == 0);
        paths.filter_map(|path| CStr::from_bytes_with_nul(path).ok())
    }

    /// Gives the process the descriptors of the program, and its directory.
    pub fn prepare(&self) -> std::result::Result<Start, Failure> {
        self.redirect()?;
        if self.leaves_directory { self.leave_directory() } else { Ok(Start::Here) }
    }

    /// A descriptor that is opened here cannot take the number of one that is redirected: that is done.
    fn leave_directory(&self) -> std::result::Result<Start, Failure> {
        let start = if self.paths().all(is_absolute) { Start::Here } else { Start::before_leaving() };
        // SAFETY: a terminated string.
        check(unsafe { libc::chdir(c"/".as_ptr()) }).map_err(|e| Step::Detach.failed(e))?;
        Ok(start)
    }

    /// Returns only if none of the candidates can be executed. What does not exist, or is not allowed, is passed over.
    pub fn execute(&self, start: &Start) -> Errno {
        let was_searched = self.shell.is_some();
        let mut last = Errno(libc::ENOENT);
        let mut denied = None;
        for path in self.paths() {
            let failure = self.try_path(path, start);
            match failure.0 {
                libc::EACCES => denied = Some(failure),
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => last = failure,
                // Of a directory, which cannot exist then.
                libc::ENAMETOOLONG if was_searched => {}
                _ => return failure,
            }
        }
        denied.unwrap_or(last)
    }

    fn try_path(&self, path: &CStr, start: &Start) -> Errno {
        let failure = start.execute(path, self.arguments, self.environment);
        match &self.shell {
            // A shell can start from its own directory only.
            Some(shell) if failure.0 == libc::ENOEXEC && (is_absolute(path) || matches!(start, Start::Here)) => {
                shell.execute(path, self.environment)
            }
            _ => failure,
        }
    }

    fn redirect(&self) -> std::result::Result<(), Failure> {
        let Some(redirections) = self.redirections else { return Ok(()) };
        descriptors::close_on_exec_from(libc::STDERR_FILENO + 1);
        for (position, redirection) in redirections.iter().enumerate() {
            redirection.apply().map_err(|Errno(errno)| Failure { step: Step::Redirect, errno, position })?;
        }
        Ok(())
    }
}

fn is_absolute(path: &CStr) -> bool {
    path.to_bytes().starts_with(b"/")
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
        // SAFETY: a terminated string.
        own(unsafe { libc::openat(libc::AT_FDCWD, c".".as_ptr(), flags) }).map_or_else(Start::Unknown, Start::Directory)
    }

    /// Returns only if that fails.
    fn execute(&self, path: &CStr, arguments: &Strings, environment: &Strings) -> Errno {
        let (path_pointer, arguments, environment) = (path.as_ptr(), arguments.as_ptr(), environment.as_ptr());
        match self {
            Start::Directory(directory) if !is_absolute(path) => {
                let directory = directory.as_raw_fd();
                // SAFETY: a terminated string; the arrays are as Strings::from_raw() was promised.
                unsafe { libc::syscall(libc::SYS_execveat, directory, path_pointer, arguments, environment, 0) };
                errno()
            }
            Start::Unknown(failure) if !is_absolute(path) => *failure,
            _ => {
                // SAFETY: as above.
                unsafe { libc::execve(path_pointer, arguments, environment) };
                errno()
            }
        }
    }
}

/// Where becoming a program failed, and why. Without padding: it is copied out of memory that a child has written.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Failure {
    pub step: Step,
    pub errno: c_int,
    /// Of the redirection that failed.
    pub position: usize,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The child was ended from outside before any of the others failed.
    Begin,
    /// Making a process.
    Clone,
    /// Leaving the directory and the session.
    Detach,
    Redirect,
    Execute,
}

impl Step {
    pub fn failed(self, Errno(errno): Errno) -> Failure {
        Failure { step: self, errno, position: 0 }
    }
}

/// Makes this process that program. What was redirected until it failed stays so.
pub fn execute(program: &Program) -> Failure {
    let _whole = WithoutCancellation::begin();
    match program.prepare() {
        Ok(start) => Step::Execute.failed(program.execute(&start)),
        Err(failure) => failure,
    }
}
