// SPDX-License-Identifier: Apache-2.0
//! The process at the other end of a connection.

use crate::json::Json;
use crate::mmsysio::{self, mm_ipc_peer};
use crate::sys;
use crate::text::escaped;
use std::fmt::{self, Write};
use std::os::fd::BorrowedFd;

pub struct Peer {
    pub ids: mm_ipc_peer,
    /// The name of its program. It may be that of another process if the peer has terminated since.
    program: Option<String>,
    user: Option<String>,
}

impl Peer {
    pub fn of(connection: BorrowedFd) -> mmsysio::Result<Peer> {
        let ids = mmsysio::peer(connection)?;
        Ok(Peer { ids, program: program_name(ids.pid), user: sys::user_name(ids.uid) })
    }

    /// The members: `pid` (0 if the process is in another PID namespace), `program` (null if it is not known), `uid`,
    /// `user` (null if the user has no name), `gid`.
    pub fn json(&self) -> Json {
        Json::Object(vec![
            ("pid", Json::Integer(self.ids.pid.into())),
            ("program", Json::or_null(self.program.as_ref(), Json::text)),
            ("uid", self.ids.uid.into()),
            ("user", Json::or_null(self.user.as_ref(), Json::text)),
            ("gid", self.ids.gid.into()),
        ])
    }
}

/// For example "python3[4711] alice".
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let program = self.program.as_deref().unwrap_or("?");
        // A program chooses its name, which must not look like another peer.
        for part in escaped(program.as_bytes()).to_string().chars() {
            match part {
                '[' | ']' | ':' | ' ' => write!(f, "\\x{:02x}", u32::from(part))?,
                _ => f.write_char(part)?,
            }
        }
        write!(f, "[{}] ", self.ids.pid)?;
        match &self.user {
            Some(user) => write!(f, "{}", escaped(user.as_bytes())),
            None => write!(f, "{}", self.ids.uid),
        }
    }
}

/// The name of the program that a process executes; None if the process is not visible.
fn program_name(pid: i32) -> Option<String> {
    let name = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(&name)).into_owned())
}
