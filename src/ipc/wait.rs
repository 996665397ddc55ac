// SPDX-License-Identifier: Apache-2.0
//! Waiting for a server to listen or to accept connections.
#![forbid(unsafe_code)]

use super::deadline::{Deadline, sleep};
use super::directory_watch::DirectoryWatch;
use super::name_watch::NameWatch;
use super::target::Target;
use super::timeout::Timeout;
use crate::os::cancel::Cancellation;
use crate::sys;
use core::time::Duration;

/// Why a client has to wait.
#[derive(Clone, Copy, PartialEq)]
pub enum Obstacle {
    /// No server listens.
    NoServer,
    /// The server's queue of pending connections is full.
    FullQueue,
}

/// The state of the wait in one call. The call may succeed without any wait.
pub struct Waiting {
    deadline: Deadline,
    watch: Option<Watch>,
    /// The next pause while the queue is full. The kernel notifies only clients that block in connect(), and blocking
    /// cannot have a timeout: with SO_SNDTIMEO, connect() can fail with EINTR although no signal handler has run.
    queue_pause: Duration,
    has_begun: bool,
}

impl Waiting {
    const INITIAL_QUEUE_PAUSE: Duration = Duration::from_millis(1);
    const MAX_QUEUE_PAUSE: Duration = Duration::from_millis(32);

    pub fn new(timeout: Timeout) -> sys::Result<Waiting> {
        let deadline = Deadline::of(timeout)?;
        Ok(Waiting { deadline, watch: None, queue_pause: Self::INITIAL_QUEUE_PAUSE, has_begun: false })
    }

    /// Whether [`Waiting::pause`] has been called.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    pub fn is_over(&self) -> sys::Result<bool> {
        Ok(self.deadline.time_left()?.is_zero())
    }

    /// Waits until another attempt may succeed. The first call for [`Obstacle::NoServer`] begins to watch and returns
    /// immediately: a server that started before has not notified this client.
    pub fn pause(&mut self, obstacle: Obstacle, target: &Target, cancellation: Cancellation) -> sys::Result<()> {
        self.has_begun = true;
        let left = self.deadline.time_left()?;
        if obstacle == Obstacle::FullQueue {
            let pause = self.queue_pause.min(left);
            self.queue_pause = (self.queue_pause * 2).min(Self::MAX_QUEUE_PAUSE);
            return sleep(pause, self, cancellation);
        }
        match (&mut self.watch, target) {
            (Some(Watch::Name(watch)), _) => watch.sleep(left, cancellation),
            (Some(Watch::Directory(watch)), Target::Path(target)) => {
                while !watch.sleep(target, self.deadline.time_left()?, cancellation)? {}
                Ok(())
            }
            (Some(Watch::Directory(_)), _) => Ok(()),
            (watch @ None, Target::Abstract(address)) => {
                *watch = Some(Watch::Name(NameWatch::new(address)));
                Ok(())
            }
            (watch @ None, Target::Path(target)) => {
                *watch = Some(Watch::Directory(DirectoryWatch::new(&target.path, left)?));
                Ok(())
            }
        }
    }

    /// Must be called when the client has connected.
    pub fn end(&mut self) {
        if let Some(Watch::Name(watch)) = self.watch.take() {
            watch.end();
        }
    }
}

#[expect(clippy::large_enum_variant, reason = "it is on the stack of the call that waits, so nothing is allocated")]
enum Watch {
    Name(NameWatch),
    Directory(DirectoryWatch),
}
