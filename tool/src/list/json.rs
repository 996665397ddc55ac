// SPDX-License-Identifier: Apache-2.0
//! The listing as a JSON document. Programs rely on it: members may be added, but are never changed or removed.
//!
//! The document is an object on one line:
//!
//! - `servers`: a list of objects, sorted by address:
//!   - `address`: the form that can be given as ADDR. If it contains a NUL byte or is not UTF-8, it is escaped.
//!   - `kind`: `"abstract"` or `"path"`.
//!   - `name`: the abstract name or the path without prefix, always escaped.
//!   - `padded`: whether an abstract name has the full size, without which libmmsysio cannot connect; null for a path.
//!   - `found`: whether the socket is at the path; null for an abstract name, or if it is not known.
//!   - `type`: `"seqpacket"`.
//!   - `inode`, `uid`, `user`, `processes`: see below.
//!   - `backlog`: an object with `pending`, the number of connections that have not been accepted, and `maximum`, or
//!     null; and `clients`, a list of the sockets that have connected, as far as they are known: see below.
//!   - `connections`: a list of the accepted sockets: see below. Each has `peer`, the socket at the other end. Its
//!     `inode` is null if the peer has closed it.
//! - `waiting`: a list of the clients that wait for a server, or watch for it, each with one of its sockets: see below.
//!   Each also has
//!   - `address`: that of the server; null if it is not known.
//!   - `hash`: that of the address, as 16 hexadecimal digits.
//!   - `slot`: the number of the client's slot; null if it has none. The socket is then its connection to the anchor of
//!     another client, or its own anchor.
//!
//! Each socket has these members:
//!
//! - `inode`: its number, or null.
//! - `uid`: the ID of its owner, or null.
//! - `user`: the name of its owner, or null.
//! - `processes`: a list of objects, sorted by `pid`. It is empty if the processes may not be examined.
//!   - `pid`
//!   - `program`: the name of the program. If it is not UTF-8, it is escaped. It is null if the process has ended.
//!   - `uid` and `user`: its effective user, or null.

use super::model::{Connection, Endpoint, Listing, Place, Server, Waiting};
use super::names::{argument, text_of};
use super::processes::{Process, User};
use crate::json::Json;
use crate::text::escaped;

type Members = Vec<(&'static str, Json)>;

pub fn document(listing: &Listing) -> Json {
    Json::Object(vec![
        ("servers", Json::List(listing.servers.iter().map(server).collect())),
        ("waiting", Json::List(listing.waiting.iter().map(waiting).collect())),
    ])
}

fn server(server: &Server) -> Json {
    let mut members = place(&server.place);
    members.push(("type", Json::text("seqpacket")));
    members.extend(socket(Some(&server.socket)));
    let backlog = vec![
        ("pending", Json::or_null(server.pending, Json::from)),
        ("maximum", Json::or_null(server.maximum, Json::from)),
        ("clients", Json::List(server.clients.iter().map(|client| Json::Object(socket(Some(client)))).collect())),
    ];
    members.push(("backlog", Json::Object(backlog)));
    members.push(("connections", Json::List(server.connections.iter().map(connection).collect())));
    Json::Object(members)
}

fn place(place: &Place) -> Members {
    let (address, kind, name, padded, found) = match place {
        Place::Name { name, is_padded } => (argument(name), "abstract", name, Json::Bool(*is_padded), Json::Null),
        Place::Path(location) => {
            let address = format!("path:{}", text_of(&location.path));
            (address, "path", &location.path, Json::Null, Json::or_null(location.is_found, Json::Bool))
        }
    };
    vec![
        ("address", Json::Text(address)),
        ("kind", Json::text(kind)),
        ("name", Json::text(escaped(name))),
        ("padded", padded),
        ("found", found),
    ]
}

fn connection(connection: &Connection) -> Json {
    let mut members = socket(Some(&connection.socket));
    members.push(("peer", Json::Object(socket(connection.peer.as_ref()))));
    Json::Object(members)
}

fn waiting(waiting: &Waiting) -> Json {
    let mut members = vec![
        ("address", Json::or_null(waiting.name.as_deref(), |name| Json::Text(argument(name)))),
        ("hash", Json::Text(format!("{:016x}", waiting.hash))),
        ("slot", Json::or_null(waiting.slot, |number| Json::Integer(number.into()))),
    ];
    members.extend(socket(Some(&waiting.socket)));
    Json::Object(members)
}

fn socket(endpoint: Option<&Endpoint>) -> Members {
    let mut members = vec![("inode", Json::or_null(endpoint, |endpoint| endpoint.inode.into()))];
    members.extend(user(endpoint.and_then(|endpoint| endpoint.owner.as_deref())));
    let processes = endpoint.map_or(&[][..], |endpoint| &endpoint.processes);
    members.push(("processes", Json::List(processes.iter().map(|one| process(one)).collect())));
    members
}

fn process(process: &Process) -> Json {
    let mut members = vec![
        ("pid", process.pid.into()),
        ("program", Json::or_null(process.program.as_deref(), |program| Json::Text(text_of(program)))),
    ];
    members.extend(user(process.user.as_deref()));
    Json::Object(members)
}

fn user(user: Option<&User>) -> Members {
    let name = user.and_then(|user| user.name.as_deref());
    vec![("uid", Json::or_null(user, |user| user.id.into())), ("user", Json::or_null(name, Json::text))]
}
