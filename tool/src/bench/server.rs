// SPDX-License-Identifier: Apache-2.0
//! The server of --self, in a process of its own.

use super::LARGEST_SIZE;
use crate::failure::{Failure, Result};
use crate::mmsysio::{self, CLOEXEC, Program};
use crate::sys;
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// The number of the connection in the server's process.
const CONNECTION: RawFd = 3;

/// What the server does with messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// It answers each message with its data.
    Echo,
    /// It counts messages of the same size. A message of another size, [`end_of_run`], is not counted: the answer to it
    /// is the count, and the next message begins a new run.
    Sink,
}

impl Service {
    /// The value of the hidden option --serve.
    pub fn parse(text: &str) -> Option<Service> {
        match text {
            "echo" => Some(Service::Echo),
            "sink" => Some(Service::Sink),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Service::Echo => "echo",
            Service::Sink => "sink",
        }
    }
}

/// The message that ends a run of messages of this size.
pub fn end_of_run(size: usize) -> &'static [u8] {
    if size == 0 { b"." } else { b"" }
}

/// The server's process. It ends when the connection is closed. Dropping this waits for that.
pub struct LocalServer {
    pid: libc::pid_t,
    connection: Option<OwnedFd>,
    status: i32,
}

impl LocalServer {
    /// Executes the tool again, and returns its connection. `signals` are those that end the measurement. A terminal
    /// sends them to the server too, but it must answer until the connection is closed.
    pub fn start(service: Service, signals: &[libc::c_int]) -> Result<LocalServer> {
        let (connection, server_end) = mmsysio::connected_pair(CLOEXEC)?;
        let argv = ["/proc/self/exe", "bench", "--serve", service.name()]
            .map(|argument| CString::new(argument).unwrap_or_default());
        let program = Program { argv: &argv, fds: &[(CONNECTION, server_end.as_raw_fd())], environment: None };
        let pid = sys::with_blocked_signals(signals, || program.spawn())?;
        Ok(LocalServer { pid, connection: Some(connection), status: 0 })
    }

    /// The connection to the server.
    pub fn connection(&self) -> Option<BorrowedFd<'_>> {
        self.connection.as_ref().map(AsFd::as_fd)
    }

    /// Ends the server. Returns its exit status as a shell does.
    pub fn end(mut self) -> i32 {
        self.close_and_wait();
        self.status
    }

    fn close_and_wait(&mut self) {
        if self.connection.take().is_none() {
            return;
        }
        loop {
            match mmsysio::wait_process(self.pid) {
                Ok(status) => self.status = status,
                Err(error) if error.is(libc::EINTR) => continue,
                // If SIGCHLD is ignored, the call has waited, and the status is not known.
                Err(_) => {}
            }
            return;
        }
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.close_and_wait();
    }
}

/// mmipc bench --serve SERVICE: the server's process.
pub fn serve(service: Service) -> Result<()> {
    let connection = sys::duplicate(CONNECTION)
        .map_err(|_| Failure::usage("--serve is internal: file descriptor 3 must be a connection"))?;
    let mut buffer = vec![0; LARGEST_SIZE];
    let result = match service {
        Service::Echo => mmsysio::echo(connection.as_fd(), &mut buffer),
        Service::Sink => sink(connection.as_fd(), &mut buffer),
    };
    match result {
        // The client may close the connection at any time.
        Err(error) if !error.is_end() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Returns with an error only, at the end of the connection.
fn sink(connection: BorrowedFd, buffer: &mut [u8]) -> mmsysio::Result<()> {
    loop {
        let size = mmsysio::receive(connection, buffer)?.size;
        let mut count: u64 = 1;
        while mmsysio::receive(connection, buffer)?.size == size {
            count += 1;
        }
        mmsysio::send(connection, &count.to_le_bytes(), &[])?;
    }
}
