//! The floor: every call of the kernel and of the C library, one function each, nothing decided.
//!
//! A function that trusts a raw pointer is an `unsafe fn`, or takes a type whose constructor is. Nothing here retries,
//! logs or raises: a failure is the errno it came with.

pub mod cancel;
pub mod child;
pub mod cmsg;
pub mod descriptors;
pub mod dir;
pub mod file;
pub mod fork;
pub mod hidden;
pub mod local_time;
pub mod lock;
pub mod map;
pub mod message;
pub mod names;
pub mod network;
pub mod numbers;
pub mod option;
pub mod path;
pub mod program;
pub mod readable;
pub mod socket;
pub mod stderr;
pub mod time;

use errno::{Errno, errno};
use once_cell::race::OnceBool;
use std::ffi::{CStr, c_char, c_int};
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

pub type Result<T> = std::result::Result<T, Errno>;

/// The convention of most calls: a negative result means that errno says why.
fn check(result: c_int) -> Result<c_int> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

/// The same for calls that count bytes.
fn check_size(result: isize) -> Result<usize> {
    usize::try_from(result).map_err(|_| errno())
}

/// Takes ownership of a descriptor that a call has just returned.
fn own(result: c_int) -> Result<OwnedFd> {
    let fd = check(result)?;
    // SAFETY: the kernel has just allocated fd for this call, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

const fn size_as_socklen<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

// --- environment, time, text ---------------------------------------------------------------------------------------

/// Whether the program has an environment.
pub fn has_environment() -> bool {
    // SAFETY: it is only looked at. That no other thread changes it at the same time is the program's duty, as with every
    // getenv() of C.
    !unsafe { (&raw const environ).read() }.is_null()
}

/// Hands the value of an environment variable to `use_value`, None if there is none or the program runs with more
/// privileges than its caller, who must not steer it.
pub fn with_environment_variable<T>(name: &CStr, use_value: impl FnOnce(&[u8]) -> T) -> Option<T> {
    // SAFETY: name is terminated. That no other thread changes the environment meanwhile is the program's duty, as
    // with every getenv() of C.
    let value = unsafe { secure_getenv(name.as_ptr()) };
    // SAFETY: a value that is not null is a terminated string, used before this returns.
    (!value.is_null()).then(|| use_value(unsafe { CStr::from_ptr(value) }.to_bytes()))
}

/// Hands the directories in which programs are searched to `use_value`, None if the environment names none. Other than
/// above, a program with privileges is free to set them for itself.
pub fn with_search_path<T>(use_value: impl FnOnce(Option<&[u8]>) -> T) -> T {
    // SAFETY: a terminated name. That no other thread changes the environment meanwhile is the program's duty, as with
    // every getenv() of C; a value that is not null is a terminated string, used before this returns.
    let value = unsafe {
        let value = libc::getenv(c"PATH".as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value).to_bytes())
    };
    use_value(value)
}

unsafe extern "C" {
    static environ: *const *const c_char;
    // In glibc and musl; the libc crate does not declare it for all of its targets.
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// Pauses the calling thread; a signal handler that runs meanwhile ends the pause with EINTR.
pub fn sleep(time: Duration) -> Result<()> {
    let time = libc::timespec {
        tv_sec: libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos() as _,
    };
    // SAFETY: time is valid for the call; the time that remains is not asked for.
    check(unsafe { libc::nanosleep(&time, ptr::null_mut()) }).map(drop)
}

/// Hands the C library's text for an errno value to `use_text`.
pub fn strerror(error: Errno, use_text: impl FnOnce(&[u8])) {
    let mut buffer = [0_u8; 256];
    // An unknown number or a short buffer still gives a terminated text.
    // SAFETY: the buffer is valid for its length.
    unsafe { strerror_r(error.0, buffer.as_mut_ptr().cast(), buffer.len()) };
    use_text(buffer.split(|byte| *byte == 0).next().unwrap_or_default());
}

/// The POSIX strerror_r, and its result: 0, ERANGE or EINVAL.
///
/// # Safety
/// The terminated text may be written at `buffer`, or `size` bytes of it if they are fewer.
pub unsafe fn strerror_r(error: c_int, buffer: *mut c_char, size: usize) -> c_int {
    // SAFETY: as promised by the caller: the C library writes no more than the text.
    unsafe { libc::strerror_r(error, buffer, size) }
}

/// The kernel's number of the calling thread.
pub fn thread_id() -> libc::pid_t {
    // SAFETY: no pointer is passed. The C library's gettid() is younger than some that are in use.
    unsafe { libc::syscall(libc::SYS_gettid) as libc::pid_t }
}

/// Sleeps until somebody wakes those who wait for `word`, in another process perhaps. Returns at once if it is not equal
/// to `expected`, and at any other moment.
pub fn wait_while_equal(word: &AtomicU32, expected: u32) {
    let no_timeout = ptr::null::<libc::timespec>();
    // SAFETY: the word is valid for the call, and the kernel only reads it.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, no_timeout) };
}

// --- processes -----------------------------------------------------------------------------------------------------

/// Called by the thread that forks.
type ForkHandler = Option<unsafe extern "C" fn()>;

/// Has these called before each fork, and after it in the parent and in the child; not where memory is too short.
///
/// `registered` remembers that. No thread waits for another to do so: a child that was forked meanwhile would wait for
/// ever. So threads that come first at the same time each register the handlers, which are then called more than once.
pub fn at_fork(registered: &OnceBool, before: ForkHandler, in_parent: ForkHandler, in_child: ForkHandler) {
    registered.get_or_init(|| {
        // SAFETY: the handlers ask for nothing, and stay loaded: the library is linked with -z nodelete.
        unsafe { libc::pthread_atfork(before, in_parent, in_child) };
        true
    });
}
