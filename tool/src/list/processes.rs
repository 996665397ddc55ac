// SPDX-License-Identifier: Apache-2.0
//! Which processes have a socket.

use crate::sys;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;

/// A user: the ID, and the name if it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: u32,
    pub name: Option<String>,
}

/// The users that have been looked up.
#[derive(Default)]
pub struct Users(HashMap<u32, Rc<User>>);

impl Users {
    pub fn get(&mut self, id: u32) -> Rc<User> {
        Rc::clone(self.0.entry(id).or_insert_with(|| Rc::new(User { id, name: sys::user_name(id) })))
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// None: the process has ended.
    pub program: Option<Vec<u8>>,
    /// The effective user. None: the process has ended.
    pub user: Option<Rc<User>>,
}

/// The processes that have a socket, by its inode, in the order of their IDs.
pub type Processes = HashMap<u32, Vec<Rc<Process>>>;

/// Finds the processes that have these sockets. Processes that may not be examined, because they belong to other users,
/// are omitted.
pub fn find(inodes: &HashSet<u32>, users: &mut Users) -> Processes {
    let mut found = Processes::new();
    if inodes.is_empty() {
        return found;
    }
    let mut path = String::new();
    for pid in process_ids() {
        let mut process = None;
        path.clear();
        // Writing to a string cannot fail.
        let _ = write!(path, "/proc/{pid}/fd/");
        let Ok(entries) = fs::read_dir(&path) else { continue };
        let directory = path.len();
        for entry in entries.flatten() {
            path.truncate(directory);
            path.push_str(entry.file_name().to_str().unwrap_or_default());
            let Some(inode) = socket_at(&path).filter(|inode| inodes.contains(inode)) else { continue };
            let process = process.get_or_insert_with(|| Rc::new(examined(pid, users)));
            let processes = found.entry(inode).or_default();
            // A process may have several file descriptors of a socket.
            if processes.last().is_none_or(|last| last.pid != pid) {
                processes.push(Rc::clone(process));
            }
        }
    }
    found
}

/// Sorted.
fn process_ids() -> Vec<u32> {
    // Without /proc, no process is found.
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut ids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    ids
}

/// The inode of the socket that a file descriptor refers to.
fn socket_at(path: &str) -> Option<u32> {
    let target = fs::read_link(path).ok()?;
    let number = target.as_os_str().as_bytes().strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn examined(pid: u32, users: &mut Users) -> Process {
    let program = fs::read(format!("/proc/{pid}/comm")).ok();
    let program = program.map(|name| name.strip_suffix(b"\n").unwrap_or(&name).to_vec());
    let user = fs::metadata(format!("/proc/{pid}")).ok().map(|metadata| users.get(metadata.uid()));
    Process { pid, program, user }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixDatagram;

    #[test]
    fn this_process_is_found_once() {
        let (socket, other) = UnixDatagram::pair().unwrap();
        let copy = socket.try_clone().unwrap();
        let inode = socket_at(&format!("/proc/self/fd/{}", copy.as_raw_fd())).unwrap();
        let unwanted = socket_at(&format!("/proc/self/fd/{}", other.as_raw_fd())).unwrap();
        let mut users = Users::default();
        let processes = find(&HashSet::from([inode]), &mut users);
        assert!(!processes.contains_key(&unwanted));
        let found: Vec<_> = processes[&inode].iter().filter(|process| process.pid == std::process::id()).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].user.as_ref().unwrap().id, fs::metadata("/proc/self").unwrap().uid());
        assert!(found[0].program.as_ref().is_some_and(|program| !program.is_empty() && !program.ends_with(b"\n")));
    }

    #[test]
    fn nothing_is_read_if_nothing_is_wanted() {
        assert!(find(&HashSet::new(), &mut Users::default()).is_empty());
    }
}
