// SPDX-License-Identifier: Apache-2.0
//! mmipc listen: a server that prints messages and answers them.

use crate::address::Address;
use crate::args::{decimal, mode, parsed, positive};
use crate::client::{Client, Event, Reply};
use crate::failure::{Failure, Result, reason};
use crate::fds::{Saving, shown};
use crate::help::print_command;
use crate::message::{Format, Origin, Receiver, print_message};
use crate::mmsysio::{self, CLOEXEC, NONBLOCK, Program, Server, mm_ipc_peer};
use crate::output::print_error;
use crate::peer::Peer;
use crate::program::{c_string, environment};
use crate::sys::{self, Ready, Signals};
use crate::text::quoted;
use lexopt::prelude::*;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

pub const HELP: &str = "\
Usage: mmipc listen ADDR [OPTION...]

Serves at ADDR, and prints each message.

Options:
  --format FORMAT     text (default), quoted, hex, json, or raw (only the bytes)
  --reply TEXT        answer each message with TEXT
  --reply-file FILE   answer each message with the content of FILE
  --echo              answer each message with its data
  --exec CMD          run CMD with /bin/sh for each client, with the connection
                      as its standard input and output
  --count N           end after N messages
  --once              serve one client, and end
  --save-fds DIR      save the content of received regular files in DIR
  --mode MODE         permissions of a path, in octal digits (default 600)
  --allow-uid USER    serve only clients of this user; can be repeated
  --allow-gid GROUP   serve only clients of this effective group; can be
                      repeated; a client needs one of the users and groups
";

struct Options {
    address: Address,
    format: Format,
    reply: Reply,
    command: Option<CString>,
    count: Option<u64>,
    is_once: bool,
    saving: Option<Saving>,
    mode: u32,
    users: Vec<u32>,
    groups: Vec<u32>,
}

pub fn run(mut parser: lexopt::Parser) -> Result<()> {
    let (mut address, mut format, mut command, mut count) = (None, None, None, None);
    let (mut is_once, mut directory, mut permissions) = (false, None, None);
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    let mut replies = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return print_command(HELP),
            Long("format") => format = Some(parsed(parser.value()?, "--format", Format::parse)?),
            Long("reply") => replies.push(Reply::Text(parser.value()?.into_vec())),
            Long("reply-file") => replies.push(Reply::Text(read_file(parser.value()?)?)),
            Long("echo") => replies.push(Reply::Echo),
            Long("exec") => command = Some(c_string(parser.value()?)?),
            Long("count") => count = Some(parsed(parser.value()?, "--count", positive)?),
            Long("once") => is_once = true,
            Long("save-fds") => directory = Some(PathBuf::from(parser.value()?)),
            Long("mode") => permissions = Some(parsed(parser.value()?, "--mode", mode)?),
            Long("allow-uid") => users.push(id(&parser.value()?, false)?),
            Long("allow-gid") => groups.push(id(&parser.value()?, true)?),
            Value(text) if address.is_none() => address = Some(Address::parse(&text).map_err(Failure::usage)?),
            other => return Err(other.unexpected().into()),
        }
    }
    let Some(address) = address else { return Err(Failure::usage("no address; see 'mmipc listen --help'")) };
    if replies.len() + usize::from(command.is_some()) > 1 {
        return Err(Failure::usage("only one of --reply, --reply-file, --echo and --exec can be given"));
    }
    if command.is_some() && (count.is_some() || directory.is_some() || format.is_some()) {
        return Err(Failure::usage(
            "--exec cannot be combined with --count, --format or --save-fds: CMD receives the messages",
        ));
    }
    let mode = address.mode(permissions)?;
    let saving = directory.map(|directory| {
        let what = format!("cannot save files in {}", shown(&directory));
        Saving::new(directory).map_err(|e| Failure::io(what, &e))
    });
    let format = format.unwrap_or(Format::Text);
    let reply = replies.pop().unwrap_or(Reply::Nothing);
    let saving = saving.transpose()?;
    serve(Options { address, format, reply, command, count, is_once, saving, mode, users, groups })
}

/// Reads a number or a name of a user or a group.
fn id(value: &OsStr, is_group: bool) -> Result<u32> {
    let found = value.to_str().and_then(|text| decimal(text).or_else(|| sys::id_of_name(text, is_group)));
    found.ok_or_else(|| {
        let kind = if is_group { "group" } else { "user" };
        Failure::usage(format_args!("there is no {kind} {}", quoted(value.as_bytes())))
    })
}

fn read_file(path: OsString) -> Result<Vec<u8>> {
    let path = PathBuf::from(path);
    std::fs::read(&path).map_err(|e| Failure::io(format_args!("cannot read {}", shown(&path)), &e))
}

fn serve(options: Options) -> Result<()> {
    let failed = |e: &std::io::Error| Failure::io("cannot wait for clients", e);
    let signals =
        Signals::catch(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGCHLD]).map_err(|e| failed(&e))?;
    let server = Server::create(options.address.as_c_str(), options.address.flags(), options.mode)?;
    let mut serving = Serving {
        options,
        receiver: Receiver::new(),
        clients: Vec::new(),
        accepted: 0,
        messages: 0,
        children: Vec::new(),
    };
    // After the first client, a server with --once lets no other one wait.
    let mut server = Some(server);
    let mut can_accept = true;
    loop {
        let listener = server.as_ref().filter(|_| can_accept).map(Server::fd).transpose()?;
        let mut waits = vec![(signals.fd(), Ready::ToRead)];
        waits.extend(serving.clients.iter().map(|client| client.waits_for()));
        waits.extend(listener.map(|fd| (fd, Ready::ToRead)));
        // A listener that cannot be accepted from, because of a limit, would always be ready.
        let timeout = (!can_accept).then_some(Duration::from_millis(100));
        let ready = sys::wait_ready(&waits, timeout).map_err(|e| failed(&e))?;
        can_accept = true;

        while let Some(signal) = signals.next() {
            if signal != libc::SIGCHLD {
                return Err(Failure::Signal(signal));
            }
            serving.children.retain(|pid| !sys::has_terminated(*pid));
        }
        let is_ready = |index: usize| ready.get(index).copied().unwrap_or(false);
        let is_listener_ready = listener.is_some() && is_ready(serving.clients.len() + 1);
        for (index, mut client) in std::mem::take(&mut serving.clients).into_iter().enumerate() {
            if is_ready(index + 1) && (client.has_pending() || !serving.is_count_reached()) {
                serving.serve_client(&mut client)?;
            }
            if !client.is_closed() {
                serving.clients.push(client);
            }
        }
        if serving.is_count_reached() {
            serving.clients.retain(Client::has_pending);
            if serving.clients.is_empty() {
                return Ok(());
            }
            server = None;
            continue;
        }
        if is_listener_ready {
            if let Some(server) = &server {
                can_accept = serving.accept(server)?;
            }
        }
        if serving.options.is_once && serving.accepted > 0 {
            server = None;
            if serving.clients.is_empty() && serving.children.is_empty() {
                return Ok(());
            }
        }
    }
}

struct Serving {
    options: Options,
    receiver: Receiver,
    clients: Vec<Client>,
    /// How many clients were accepted.
    accepted: u64,
    messages: u64,
    /// The programs of --exec that are running.
    children: Vec<libc::pid_t>,
}

impl Serving {
    fn is_count_reached(&self) -> bool {
        self.options.count.is_some_and(|count| self.messages >= count)
    }

    /// How many clients are accepted in one turn, so that many new ones do not delay the others and signals.
    const MOST_ACCEPTED: usize = 16;

    /// Accepts clients that are waiting. Returns false if a limit prevents that for now.
    fn accept(&mut self, server: &Server) -> Result<bool> {
        for _ in 0..Self::MOST_ACCEPTED {
            if self.options.is_once && self.accepted > 0 {
                break;
            }
            let flags = CLOEXEC | if self.options.command.is_some() { 0 } else { NONBLOCK };
            let connection = match server.accept(flags, 0) {
                Ok(connection) => connection,
                Err(error) if error.is(libc::EAGAIN) => return Ok(true),
                // The client has left, or a signal has arrived.
                Err(error) if error.is(libc::ECONNABORTED) || error.is(libc::EINTR) => continue,
                Err(error) if error.is(libc::EMFILE) || error.is(libc::ENFILE) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let peer = Peer::of(connection.as_fd())?;
            if !self.is_allowed(&peer) {
                print_error(&format!("refused the client {peer}"));
                continue;
            }
            self.accepted += 1;
            match &self.options.command {
                Some(command) => match execute(command, &connection, &peer) {
                    Ok(pid) => self.children.push(pid),
                    Err(error) if self.options.is_once => return Err(error.into()),
                    Err(error) => print_error(&format!("{peer}: {error}")),
                },
                None => self.clients.push(Client::new(connection, peer, self.accepted)),
            }
        }
        Ok(true)
    }

    fn is_allowed(&self, peer: &Peer) -> bool {
        let (users, groups) = (&self.options.users, &self.options.groups);
        (users.is_empty() && groups.is_empty()) || users.contains(&peer.ids.uid) || groups.contains(&peer.ids.gid)
    }

    fn serve_client(&mut self, client: &mut Client) -> Result<()> {
        match client.serve(&mut self.receiver, &self.options.reply) {
            Event::Nothing => {}
            Event::Failed(reason) => print_error(&format!("{}: {reason}", client.peer)),
            Event::Message(message) => {
                self.messages += 1;
                let origin = Origin { connection: client.number, peer: &client.peer };
                print_message(self.options.format, Some(&origin), &message)?;
                if let Some(saving) = &mut self.options.saving {
                    save(saving, &message.received.fds);
                }
            }
        }
        Ok(())
    }
}

/// Runs a program with a connection as its standard input and output.
fn execute(command: &CString, connection: &OwnedFd, peer: &Peer) -> mmsysio::Result<libc::pid_t> {
    let mm_ipc_peer { pid, uid, gid } = peer.ids;
    let environment = environment(
        |name| name.as_bytes().starts_with(b"MMIPC_PEER_"),
        [format!("MMIPC_PEER_PID={pid}"), format!("MMIPC_PEER_UID={uid}"), format!("MMIPC_PEER_GID={gid}")],
    );
    let fd = connection.as_raw_fd();
    let program = Program {
        argv: &[c"/bin/sh".to_owned(), c"-c".to_owned(), command.clone()],
        fds: &[(0, fd), (1, fd)],
        environment: Some(&environment),
    };
    program.spawn()
}

/// A file that cannot be saved does not end the server: its clients choose what they send.
fn save(saving: &mut Saving, fds: &[OwnedFd]) {
    for fd in fds {
        match saving.save(fd.as_fd()) {
            Ok(Some(path)) => print_error(&format!("saved {}", shown(&path))),
            Ok(None) => print_error("a descriptor was not saved: it is not a regular file"),
            Err(error) => print_error(&format!("a descriptor was not saved: {}", reason(&error))),
        }
    }
}
