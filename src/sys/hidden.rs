//! Descriptors that the library needs for itself, and that no program can name.
//!
//! - They are never 0, 1 or 2, whatever a program has closed: what redirects its standard streams must not hit them.
//! - A child that is forked beside a call that waits closes those of the call: nobody else could. Only fork() runs the
//!   handlers that do this; _Fork() and clone() do not.

use super::file;
use super::fork::wiped;
use super::path::Path;
use super::socket::cookie;
use super::{Result, at_fork, check, own};
use errno::{Errno, errno, set_errno};
use once_cell::race::OnceBool;
use std::cell::UnsafeCell;
use std::ffi::c_int;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

const FIRST: c_int = libc::STDERR_FILENO + 1;

/// The same open file at a number from 3 on, close-on-exec if that is another one.
pub fn above_standard_streams(mut fd: OwnedFd) -> Result<OwnedFd> {
    move_up(&mut fd)?;
    Ok(fd)
}

/// The same. A failure leaves the descriptor where it is.
pub fn move_up(fd: &mut OwnedFd) -> Result<()> {
    if fd.as_raw_fd() < FIRST {
        *fd = duplicate(fd)?;
    }
    Ok(())
}

/// A file that the library opens for itself.
pub fn open(path: Path, flags: c_int) -> Result<OwnedFd> {
    above_standard_streams(file::open(path, flags | libc::O_CLOEXEC, 0)?)
}

/// A directory or file in another directory that the library opens for itself.
pub fn open_at(directory: &OwnedFd, path: Path, flags: c_int) -> Result<OwnedFd> {
    above_standard_streams(file::open_at(directory, path, flags | libc::O_CLOEXEC)?)
}

/// The same open file once more, at a number from 3 on.
pub fn duplicate(fd: &OwnedFd) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    own(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST) })
}

/// Makes a descriptor the C caller's: inheritable, and the lowest number available.
pub fn for_caller(fd: OwnedFd) -> Result<OwnedFd> {
    // SAFETY: no pointer is passed.
    if let Ok(other) = own(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD, 0) })
        && other.as_raw_fd() < fd.as_raw_fd()
    {
        return Ok(other);
    }
    // SAFETY: no pointer is passed.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, 0) })?;
    Ok(fd)
}

/// Keeps 0, 1 and 2 from what the C library opens for itself while this exists. Where the program has closed one of them,
/// it refers to something that can neither be read nor written; what the program opens there stays.
pub struct StandardStreams {
    is_occupied: [bool; FIRST as usize],
}

impl StandardStreams {
    /// Leaves errno as it is, as its end does.
    pub fn occupy() -> StandardStreams {
        let errno_at_entry = errno();
        let mut is_occupied = [false; FIRST as usize];
        let mut entries = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
        // SAFETY: valid elements.
        let found = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, 0) };
        if found > 0 {
            for (entry, is_occupied) in entries.iter().zip(&mut is_occupied) {
                *is_occupied = entry.revents & libc::POLLNVAL != 0 && occupy(entry.fd);
            }
        }
        set_errno(errno_at_entry);
        StandardStreams { is_occupied }
    }
}

/// Whether that number is occupied now: another thread may have been faster.
fn occupy(fd: c_int) -> bool {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: a terminated string.
    let opened = own(unsafe { libc::open(c"/".as_ptr(), flags) });
    opened.is_ok_and(|opened| {
        let is_it = opened.as_raw_fd() == fd;
        if is_it {
            let _ = opened.into_raw_fd();
        }
        is_it
    })
}

impl Drop for StandardStreams {
    fn drop(&mut self) {
        let errno_at_entry = errno();
        for (fd, _) in (0..).zip(self.is_occupied).filter(|(_, is_occupied)| *is_occupied) {
            // SAFETY: no pointer is passed. What is closed is what was opened above.
            unsafe {
                let flags = libc::fcntl(fd, libc::F_GETFL);
                if flags != -1 && flags & libc::O_PATH != 0 {
                    libc::close(fd);
                }
            }
        }
        set_errno(errno_at_entry);
    }
}

/// A socket whose number the program may have closed, as one does that closes every number which it does not know. The
/// number may then be that of another descriptor, which is the program's.
pub struct Identified {
    socket: ManuallyDrop<OwnedFd>,
    /// None where nobody has asked, or the kernel does not say.
    cookie: Option<u64>,
}

impl Identified {
    /// Leaves errno as it is.
    pub fn new(socket: OwnedFd) -> Identified {
        let mut identified = Identified { socket: ManuallyDrop::new(socket), cookie: None };
        identified.identify();
        identified
    }

    fn identify(&mut self) {
        let errno_at_entry = errno();
        self.cookie = cookie(self.socket.as_raw_fd()).ok();
        set_errno(errno_at_entry);
    }

    /// Whether the number is still that of the socket.
    pub fn is_intact(&self) -> bool {
        let Some(expected) = self.cookie else { return true };
        match cookie(self.socket.as_raw_fd()) {
            Ok(cookie) => cookie == expected,
            // Any other failure comes from a sandbox.
            Err(Errno(failure)) => !matches!(failure, libc::EBADF | libc::ENOTSOCK),
        }
    }
}

impl Deref for Identified {
    type Target = OwnedFd;

    fn deref(&self) -> &OwnedFd {
        &self.socket
    }
}

impl Drop for Identified {
    fn drop(&mut self) {
        if self.is_intact() {
            // SAFETY: self is not used any more.
            unsafe { ManuallyDrop::drop(&mut self.socket) }
        }
    }
}

/// A socket of a call that waits.
pub struct Hidden(ManuallyDrop<Identified>);

impl Hidden {
    /// Makes a socket by `create`, at a moment when no other thread forks.
    pub fn create(create: impl FnOnce() -> Result<OwnedFd>) -> Result<Hidden> {
        with_list(|listed| {
            let socket = above_standard_streams(create()?)?;
            if let Some(listed) = listed {
                listed.add(socket.as_raw_fd());
            }
            Ok(Hidden(ManuallyDrop::new(Identified { socket: ManuallyDrop::new(socket), cookie: None })))
        })
    }

    /// The same, for a socket that is worth a system call to know whether the program has closed it.
    pub fn create_identified(create: impl FnOnce() -> Result<OwnedFd>) -> Result<Hidden> {
        let mut hidden = Hidden::create(create)?;
        hidden.0.identify();
        Ok(hidden)
    }

    /// It is no longer the library's alone.
    pub fn into_fd(self) -> OwnedFd {
        let mut hidden = ManuallyDrop::new(self);
        with_list(|listed| {
            if let Some(listed) = listed {
                listed.remove(hidden.as_raw_fd());
            }
        });
        // SAFETY: taken once, since hidden is not dropped.
        unsafe { ManuallyDrop::take(&mut hidden.0.socket) }
    }
}

impl Deref for Hidden {
    type Target = Identified;

    fn deref(&self) -> &Identified {
        &self.0
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Both at a moment when no other thread forks: a child would have the socket, or close what has its number then.
        with_list(|listed| {
            if let Some(listed) = listed {
                listed.remove(self.as_raw_fd());
            }
            // SAFETY: self is not used any more.
            unsafe { ManuallyDrop::drop(&mut self.0) }
        });
    }
}

// --- the list ------------------------------------------------------------------------------------------------------

/// More calls than this that wait at the same time leave theirs to forked children.
const CAPACITY: usize = 64;

/// The hidden descriptors of this process. It stands in memory that is cleared in every child, so that it is empty and
/// unlocked there. Its lock is held across fork(), so that memory and descriptors of the child agree.
#[repr(C)]
pub struct Listed {
    lock: UnsafeCell<libc::pthread_mutex_t>,
    /// The thread that has the lock, 0 if there is none.
    holder: AtomicUsize,
    /// The thread that has it for a fork().
    forker: AtomicUsize,
    entries: [Entry; CAPACITY],
}

// SAFETY: a mutex is made to be used by all threads; the rest is atomic.
unsafe impl Sync for Listed {}

#[repr(C)]
struct Entry {
    /// 0 if the entry is free: that number is never hidden.
    fd: AtomicI32,
    thread: AtomicUsize,
}

impl Listed {
    fn add(&self, fd: c_int) {
        if let Some(entry) = self.entries.iter().find(|entry| entry.fd.load(Ordering::Relaxed) == 0) {
            entry.thread.store(this_thread(), Ordering::Relaxed);
            entry.fd.store(fd, Ordering::Relaxed);
        }
    }

    fn remove(&self, fd: c_int) {
        if let Some(entry) = self.entries.iter().find(|entry| entry.fd.load(Ordering::Relaxed) == fd) {
            entry.fd.store(0, Ordering::Relaxed);
        }
    }

    /// False if the calling thread has it already: a signal handler interrupted it.
    fn lock(&self) -> bool {
        if self.holder.load(Ordering::Relaxed) == this_thread() {
            return false;
        }
        // SAFETY: all bytes zero are an unlocked mutex, as PTHREAD_MUTEX_INITIALIZER is.
        unsafe { libc::pthread_mutex_lock(self.lock.get()) };
        self.holder.store(this_thread(), Ordering::Relaxed);
        true
    }

    /// After a lock() that gave true.
    fn unlock(&self) {
        self.holder.store(0, Ordering::Relaxed);
        // SAFETY: the calling thread has locked it.
        unsafe { libc::pthread_mutex_unlock(self.lock.get()) };
    }
}

/// A number of the calling thread that costs no system call: where the C library keeps its errno.
fn this_thread() -> usize {
    // SAFETY: only the address is used.
    unsafe { libc::__errno_location() }.addr()
}

/// Runs `call` while no other thread forks. It gets the list, if there is one.
fn with_list<T>(call: impl FnOnce(Option<&Listed>) -> T) -> T {
    static HANDLERS: OnceBool = OnceBool::new();
    let Some(wiped) = wiped() else { return call(None) };
    at_fork(&HANDLERS, Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child));
    let listed = &wiped.listed;
    let locked = listed.lock();
    let result = call(Some(listed));
    if locked {
        listed.unlock();
    }
    result
}

/// What a child is to close: the list is cleared in it.
static FOR_CHILD: [AtomicI32; CAPACITY] = [const { AtomicI32::new(0) }; CAPACITY];

extern "C" fn before_fork() {
    let Some(wiped) = wiped() else { return };
    let listed = &wiped.listed;
    if listed.lock() {
        listed.forker.store(this_thread(), Ordering::Relaxed);
    }
    for (to, entry) in FOR_CHILD.iter().zip(&listed.entries) {
        // A handler of a signal may fork in the middle of a call, which goes on in the child, and closes its own.
        let is_of_others = entry.thread.load(Ordering::Relaxed) != this_thread();
        to.store(if is_of_others { entry.fd.load(Ordering::Relaxed) } else { 0 }, Ordering::Relaxed);
    }
}

extern "C" fn after_fork_in_parent() {
    let Some(wiped) = wiped() else { return };
    let listed = &wiped.listed;
    if listed.forker.load(Ordering::Relaxed) == this_thread() {
        listed.forker.store(0, Ordering::Relaxed);
        listed.unlock();
    }
}

extern "C" fn after_fork_in_child() {
    let errno_at_entry = errno();
    for entry in &FOR_CHILD {
        let fd = entry.swap(0, Ordering::Relaxed);
        if fd != 0 {
            // SAFETY: a descriptor of a call that does not exist in this process: nobody uses its number.
            unsafe { libc::close(fd) };
        }
    }
    set_errno(errno_at_entry);
}
