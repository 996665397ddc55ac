// SPDX-License-Identifier: Apache-2.0
//! System calls that the standard library does not have.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn checked_size(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

fn owned(result: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: the calls that use this return a new file descriptor.
    checked(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// What to wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    ToRead,
    ToWrite,
}

/// Waits until one of the file descriptors is ready. Returns for each whether it is, or is closed by the peer, or is in
/// error: whether the operation would not block. All are false if the time is over, or if a signal has arrived.
pub fn wait_ready(fds: &[(BorrowedFd, Ready)], timeout: Option<Duration>) -> io::Result<Vec<bool>> {
    let mut entries: Vec<_> = fds
        .iter()
        .map(|(fd, ready)| {
            let events = if *ready == Ready::ToRead { libc::POLLIN } else { libc::POLLOUT };
            libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 }
        })
        .collect();
    let timeout_ms = crate::args::timeout_ms(timeout);
    // SAFETY: the array has that many elements.
    match checked(unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, timeout_ms) }) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(vec![false; fds.len()]),
        result => result?,
    };
    Ok(entries.iter().map(|entry| entry.revents != 0).collect())
}

/// [`wait_ready`], for reading.
pub fn wait_readable(fds: &[BorrowedFd], timeout: Option<Duration>) -> io::Result<Vec<bool>> {
    wait_ready(&fds.iter().map(|fd| (*fd, Ready::ToRead)).collect::<Vec<_>>(), timeout)
}

/// The pipe of [`Signals`]: its read end and its write end.
static SIGNAL_PIPE: [AtomicI32; 2] = [const { AtomicI32::new(-1) }; 2];

/// The last signal that ends the tool and has not been read from the pipe.
static ENDING_SIGNAL: AtomicI32 = AtomicI32::new(0);

extern "C" fn note_signal(signal: libc::c_int) {
    let byte = signal as u8;
    if signal != libc::SIGCHLD {
        ENDING_SIGNAL.store(signal, Ordering::Relaxed);
    }
    // SAFETY: errno is a variable of the thread, and write() may be called in a signal handler. If the pipe is
    // full, it has other signals, which the event loop reads.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(SIGNAL_PIPE[1].load(Ordering::Relaxed), (&raw const byte).cast(), 1);
        *libc::__errno_location() = errno;
    }
}

extern "C" fn ignore_signal(_: libc::c_int) {}

/// Signals that arrive as bytes in a pipe, so that an event loop can wait for them.
pub struct Signals {
    pipe: OwnedFd,
}

impl Signals {
    /// Catches these signals, also if they are blocked. Handlers, unlike ignored signals, do not pass to programs that
    /// are executed. Can be called once.
    pub fn catch(signals: &[libc::c_int]) -> io::Result<Signals> {
        let mut fds = [-1; 2];
        // SAFETY: the array has two elements.
        checked(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) })?;
        for (end, fd) in SIGNAL_PIPE.iter().zip(fds) {
            end.store(fd, Ordering::Relaxed);
        }
        // SAFETY: pipe2() has returned it. The write end stays open for the handlers.
        let pipe = unsafe { OwnedFd::from_raw_fd(fds[0]) };
        for signal in signals {
            handle(*signal, note_signal)?;
        }
        // SAFETY: the set can be read and written.
        unsafe {
            let mut caught = std::mem::zeroed();
            libc::sigemptyset(&mut caught);
            for signal in signals {
                libc::sigaddset(&mut caught, *signal);
            }
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &caught, ptr::null_mut());
        }
        Ok(Signals { pipe })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.pipe.as_fd()
    }

    /// Returns a signal that has arrived, and removes it from the pipe. It does not end the next output.
    pub fn next(&self) -> Option<libc::c_int> {
        let mut byte = 0u8;
        // SAFETY: the buffer has one byte.
        let signal =
            (unsafe { libc::read(self.pipe.as_raw_fd(), (&raw mut byte).cast(), 1) } == 1).then(|| byte.into())?;
        let _ = ENDING_SIGNAL.compare_exchange(signal, 0, Ordering::Relaxed, Ordering::Relaxed);
        Some(signal)
    }
}

/// Installs a handler, unless the signal is ignored, for example by nohup.
fn handle(signal: libc::c_int, handler: extern "C" fn(libc::c_int)) -> io::Result<()> {
    // SAFETY: the structures can be read and written. The handlers call only what a signal handler may call.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        checked(libc::sigaction(signal, ptr::null(), &mut action))?;
        if action.sa_sigaction == libc::SIG_IGN && signal != libc::SIGPIPE && signal != libc::SIGCHLD {
            return Ok(());
        }
        action.sa_sigaction = handler as *const () as libc::sighandler_t;
        action.sa_flags = 0;
        checked(libc::sigaction(signal, &action, ptr::null_mut()))?;
    }
    Ok(())
}

/// Writes to a closed pipe fail with EPIPE. Rust's runtime ignores SIGPIPE for that, but an executed program would
/// ignore it too.
pub fn handle_sigpipe() {
    // It cannot fail.
    let _ = handle(libc::SIGPIPE, ignore_signal);
}

/// Why not all was written.
pub enum Unwritten {
    Failed(io::Error),
    /// A signal of [`Signals`] ends the tool.
    Signal(libc::c_int),
}

/// Writes to standard output or standard error. If the reader of a pipe does not read, a signal ends the write.
pub fn write_output(output: BorrowedFd, mut bytes: &[u8]) -> Result<(), Unwritten> {
    while !bytes.is_empty() {
        let signals = SIGNAL_PIPE[0].load(Ordering::Relaxed);
        if signals != -1 {
            wait_for_output(output, signals)?;
        }
        // A pipe that is ready has space for this part.
        let part = bytes.get(..libc::PIPE_BUF).filter(|_| signals != -1).unwrap_or(bytes);
        // SAFETY: the part has that many bytes.
        match checked_size(unsafe { libc::write(output.as_raw_fd(), part.as_ptr().cast(), part.len()) }) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process has made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && signals == -1 => {
                wait_ready(&[(output, Ready::ToWrite)], None).map_err(Unwritten::Failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(Unwritten::Failed(error)),
            Ok(size) => bytes = bytes.get(size..).unwrap_or_default(),
        }
    }
    Ok(())
}

fn wait_for_output(output: BorrowedFd, signals: RawFd) -> Result<(), Unwritten> {
    // SAFETY: the pipe is open as long as the tool catches signals.
    let signals = unsafe { BorrowedFd::borrow_raw(signals) };
    loop {
        let ready =
            wait_ready(&[(output, Ready::ToWrite), (signals, Ready::ToRead)], None).map_err(Unwritten::Failed)?;
        let ending = ENDING_SIGNAL.load(Ordering::Relaxed);
        if ending != 0 {
            return Err(Unwritten::Signal(ending));
        }
        if ready.first() == Some(&true) {
            return Ok(());
        }
        if ready.get(1) == Some(&true) {
            // The signals of children are for the event loop, and stay in the pipe.
            wait_ready(&[(output, Ready::ToWrite)], Some(Duration::from_millis(100))).map_err(Unwritten::Failed)?;
        }
    }
}

/// Ends the process by a signal, as if the tool had no handler for it.
pub fn die_by(signal: libc::c_int) -> ! {
    // SAFETY: the set can be read and written.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, ptr::null_mut());
        libc::raise(signal);
    }
    std::process::exit(128 + signal)
}

/// The size of the next message, which remains in the queue. Blocks as long as a receive would.
pub fn next_size(connection: BorrowedFd) -> io::Result<usize> {
    peeked_size(connection, 0)
}

/// Like [`next_size`], but fails with EAGAIN if there is no message.
pub fn next_size_now(connection: BorrowedFd) -> io::Result<usize> {
    peeked_size(connection, libc::MSG_DONTWAIT)
}

fn peeked_size(connection: BorrowedFd, flags: libc::c_int) -> io::Result<usize> {
    let flags = flags | libc::MSG_PEEK | libc::MSG_TRUNC;
    // SAFETY: nothing is stored in a buffer without size.
    checked_size(unsafe { libc::recv(connection.as_raw_fd(), ptr::null_mut(), 0, flags) })
}

/// How much memory the messages take that the peer has not received.
pub fn unread_output(connection: BorrowedFd) -> io::Result<libc::c_int> {
    let mut size = 0;
    // SAFETY: the request stores an int.
    checked(unsafe { libc::ioctl(connection.as_raw_fd(), libc::TIOCOUTQ, &raw mut size) })?;
    Ok(size)
}

/// Whether closing this socket may block, because of SO_LINGER.
fn lingers(fd: BorrowedFd) -> bool {
    let mut linger = libc::linger { l_onoff: 0, l_linger: 0 };
    let mut size = size_of::<libc::linger>() as libc::socklen_t;
    // SAFETY: the value can be written, and has that size.
    let result = unsafe {
        libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, (&raw mut linger).cast(), &mut size)
    };
    result == 0 && linger.l_onoff != 0 && linger.l_linger != 0
}

/// Closes a file descriptor. If that may block, another thread does it.
pub fn close_without_waiting(fd: OwnedFd) {
    use std::os::fd::AsFd;
    if lingers(fd.as_fd()) {
        // Without another thread, it is closed here.
        let _ = std::thread::Builder::new().spawn(move || drop(fd));
    }
}

/// Ends the sending direction of a connection.
pub fn shutdown_sending(connection: BorrowedFd) -> io::Result<()> {
    // SAFETY: the call has no preconditions.
    checked(unsafe { libc::shutdown(connection.as_raw_fd(), libc::SHUT_WR) }).map(drop)
}

/// EBADF: the file descriptor is not open.
pub fn check_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: the call has no preconditions.
    checked(unsafe { libc::fcntl(fd, libc::F_GETFD) }).map(drop)
}

/// Duplicates a file descriptor that the tool has inherited.
pub fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the call has no preconditions.
    owned(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) })
}

/// The flags of an open file: see fcntl(2), F_GETFL.
pub fn open_flags(fd: BorrowedFd) -> io::Result<libc::c_int> {
    // SAFETY: the call has no preconditions.
    checked(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })
}

/// The type and permissions of a file, and its size.
pub fn status(fd: BorrowedFd) -> io::Result<(u32, u64)> {
    // SAFETY: the structure can be written.
    let status = unsafe {
        let mut status: libc::stat64 = std::mem::zeroed();
        checked(libc::fstat64(fd.as_raw_fd(), &mut status))?;
        status
    };
    Ok((status.st_mode, u64::try_from(status.st_size).unwrap_or(0)))
}

/// Whether a child has terminated; it is then removed. Does not block.
pub fn has_terminated(pid: libc::pid_t) -> bool {
    // SAFETY: without a status, the call writes nothing.
    unsafe { libc::waitpid(pid, ptr::null_mut(), libc::WNOHANG) != 0 }
}

/// A socket for questions to the kernel about sockets: see sock_diag(7).
pub fn sock_diag_socket() -> io::Result<OwnedFd> {
    // SAFETY: the call has no preconditions.
    owned(unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, libc::NETLINK_SOCK_DIAG) })
}

/// Sends a request to the kernel.
pub fn send_to_kernel(socket: BorrowedFd, request: &[u8]) -> io::Result<()> {
    // SAFETY: the buffer has that many bytes. The socket has no peer but the kernel.
    checked_size(unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) }).map(drop)
}

/// Receives a datagram. Returns its size, which is greater than that of the buffer if it was truncated.
pub fn receive_datagram(socket: BorrowedFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer has that many bytes.
    checked_size(unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_TRUNC) })
}

/// The name of a user; None if it is not known.
pub fn user_name(uid: u32) -> Option<String> {
    let mut buffer = vec![0u8; 4096];
    loop {
        let mut found = ptr::null_mut();
        // SAFETY: the structure, the buffer and the pointer can be written. On success, pw_name is a string in buffer.
        unsafe {
            let mut entry: libc::passwd = std::mem::zeroed();
            match libc::getpwuid_r(uid, &mut entry, buffer.as_mut_ptr().cast(), buffer.len(), &mut found) {
                0 if !found.is_null() => {
                    return Some(std::ffi::CStr::from_ptr(entry.pw_name).to_string_lossy().into_owned());
                }
                libc::ERANGE if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 2, 0),
                _ => return None,
            }
        }
    }
}

/// The ID of a user or of a group, by its name; None if it does not exist.
pub fn id_of_name(name: &str, is_group: bool) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: name is a string. The tool has one thread when it reads its options, so that the static result is valid.
    unsafe {
        if is_group {
            libc::getgrnam(name.as_ptr()).as_ref().map(|group| group.gr_gid)
        } else {
            libc::getpwnam(name.as_ptr()).as_ref().map(|user| user.pw_uid)
        }
    }
}

/// Limits how long a call may block to send or to receive. After that time, it fails with EAGAIN.
pub fn limit_blocking(socket: BorrowedFd, limit: Duration) -> io::Result<()> {
    // A limit of 0 would be no limit.
    let limit = limit.max(Duration::from_micros(1));
    let time = libc::timeval {
        tv_sec: limit.as_secs().try_into().map_err(|_| io::Error::from_raw_os_error(libc::EDOM))?,
        tv_usec: limit.subsec_micros() as libc::suseconds_t,
    };
    for option in [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO] {
        let size = size_of::<libc::timeval>() as libc::socklen_t;
        // SAFETY: the value has that size.
        checked(unsafe {
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, (&raw const time).cast(), size)
        })?;
    }
    Ok(())
}

/// Calls a function while signals are blocked. A program that it executes keeps them blocked.
pub fn with_blocked_signals<T>(signals: &[libc::c_int], call: impl FnOnce() -> T) -> T {
    // SAFETY: the sets can be read and written. The calls cannot fail: the numbers are those of signals.
    unsafe {
        let (mut blocked, mut old) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigemptyset(&mut blocked);
        for signal in signals {
            libc::sigaddset(&mut blocked, *signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &blocked, &mut old);
        let result = call();
        libc::pthread_sigmask(libc::SIG_SETMASK, &old, ptr::null_mut());
        result
    }
}
