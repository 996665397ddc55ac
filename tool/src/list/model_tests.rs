// SPDX-License-Identifier: Apache-2.0
//! Tests of the model, and of its output.

use super::diag::{ESTABLISHED, LISTEN, Socket};
use super::model::{FULL_NAME, Listing, Place, listing};
use super::processes::{Process, Processes, User, Users};
use super::{json, slots, table};
use crate::address::Address;
use crate::output::Color;
use std::ffi::OsStr;
use std::rc::Rc;

fn padded(name: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = [b"\0", name].concat();
    bytes.resize(1 + FULL_NAME, 0);
    Some(bytes)
}

fn listener(inode: u32, name: Option<Vec<u8>>) -> Socket {
    Socket {
        inode,
        kind: 5,
        state: LISTEN,
        name,
        receive_queue: Some(0),
        send_queue: Some(4096),
        uid: Some(4_000_000_001),
        ..Socket::default()
    }
}

fn accepted(inode: u32, name: Option<Vec<u8>>, peer: Option<u32>) -> Socket {
    Socket { inode, kind: 5, state: ESTABLISHED, name, peer, ..Socket::default() }
}

fn waiting(inode: u32, hash: u64, slot: u8) -> Socket {
    let name = padded(format!("mmsysio-waiting/{hash:016x}/{slot:02x}").as_bytes());
    Socket { inode, kind: 2, state: 7, name, ..Socket::default() }
}

fn anchor(inode: u32, hash: u64, number: u8, attached: &[u32]) -> Socket {
    Socket { kind: 1, state: LISTEN, pending: Some(attached.to_vec()), ..waiting(inode, hash, number) }
}

/// Processes 1001 and 1002 have socket 1, process 2002 socket 2, and so on; 0 and sockets from 90 have none.
fn processes() -> Processes {
    let process = |pid: u32| {
        let user = Some(Rc::new(User { id: 0, name: Some("root".to_owned()) }));
        Rc::new(Process { pid, program: Some(format!("p{pid}").into_bytes()), user })
    };
    let mut processes: Processes = (1..90).map(|inode| (inode, vec![process(1000 * inode + inode)])).collect();
    processes.insert(1, vec![process(1001), process(1002)]);
    processes
}

fn listed(sockets: &[Socket], addresses: &[&str]) -> Listing {
    let parse = |text: &&str| Address::parse(OsStr::new(text)).ok().unwrap();
    let addresses: Vec<_> = addresses.iter().map(parse).collect();
    listing(sockets, &addresses, &mut Users::default(), |_, _| processes())
}

/// The inodes and slots of the waiting clients, if each of these processes has some sockets.
fn clients(sockets: &[Socket], processes: &[(u32, &[u32])]) -> Vec<(u32, Option<u8>)> {
    let mut found = Processes::new();
    for (pid, inodes) in processes {
        for inode in *inodes {
            found.entry(*inode).or_default().push(Rc::new(Process { pid: *pid, program: None, user: None }));
        }
    }
    let listing = listing(sockets, &[], &mut Users::default(), |_, _| found);
    listing.waiting.iter().map(|one| (one.socket.inode, one.slot)).collect()
}

fn text(listing: &Listing) -> String {
    table::render(listing, Color::Never.style(), true)
}

fn name(place: &Place) -> (&[u8], bool) {
    match place {
        Place::Name { name, is_padded } => (name, *is_padded),
        Place::Path(location) => (&location.path, false),
    }
}

fn names(listing: &Listing) -> Vec<(&[u8], bool)> {
    listing.servers.iter().map(|server| name(&server.place)).collect()
}

#[test]
fn names_lose_their_padding() {
    let full = [b'x'; FULL_NAME];
    let sockets = [
        listener(1, padded(b"b")),
        listener(2, padded(b"a\0b")),
        listener(3, padded(b"")),
        listener(4, Some(b"\0c".to_vec())),
        listener(5, Some(b"\0d\0\0".to_vec())),
        listener(6, padded(&full)),
        listener(7, Some(b"\0".to_vec())),
        listener(8, None),
    ];
    let listing = listed(&sockets, &[]);
    let expected: [(&[u8], bool); 7] =
        [(b"", true), (b"", false), (b"a\0b", true), (b"b", true), (b"c", false), (b"d\0\0", false), (&full, true)];
    assert_eq!(names(&listing), expected);
}

#[test]
fn only_listening_seqpacket_sockets_are_servers() {
    let stream = Socket { kind: 1, ..listener(1, padded(b"stream")) };
    let bound = Socket { state: 7, ..listener(2, padded(b"bound")) };
    let client = accepted(3, None, Some(4));
    assert_eq!(listed(&[stream, bound, client], &[]).servers, []);
}

#[test]
fn connections_belong_to_the_listener_with_the_same_name() {
    let file = |inode| Some(super::diag::File { device: 1, inode });
    let path = || Some(b"/nonexistent/mmipc".to_vec());
    let sockets = [
        listener(1, padded(b"demo")),
        accepted(11, padded(b"demo"), None),
        accepted(10, padded(b"demo"), Some(20)),
        accepted(12, Some(b"\0demo".to_vec()), Some(21)),
        Socket { file: file(1), ..listener(2, path()) },
        Socket { file: file(2), ..listener(3, path()) },
        Socket { file: file(2), ..accepted(13, path(), Some(22)) },
    ];
    let listing = listed(&sockets, &[]);
    let connections = |index: usize| {
        let connections = listing.servers[index].connections.iter();
        connections.map(|one| (one.socket.inode, one.peer.as_ref().map(|peer| peer.inode))).collect::<Vec<_>>()
    };
    assert_eq!(connections(0), [(10, Some(20)), (11, None)]);
    assert_eq!(connections(1), []);
    assert_eq!(connections(2), [(13, Some(22))]);
}

#[test]
fn servers_are_chosen_by_address() {
    let sockets = [listener(1, padded(b"a")), listener(2, padded(b"b")), listener(3, Some(b"\0a".to_vec()))];
    let listing = listed(&sockets, &["a", "c", "path:a"]);
    assert_eq!(names(&listing), [(&b"a"[..], true), (b"a", false)]);
    assert_eq!(listing.found, [true, false, false]);
}

#[test]
fn waiting_clients_are_matched_by_the_hash_of_the_address() {
    let hash = |name: &str| slots::hash(name.as_bytes()).unwrap();
    let unpadded = Socket { name: Some(b"\0mmsysio-waiting/f68bac12fd23e11c/00".to_vec()), ..waiting(9, 0, 0) };
    let sockets =
        [waiting(5, 77, 0), waiting(6, hash("b"), 3), waiting(7, hash("a"), 0), listener(1, padded(b"b")), unpadded];
    let found = |addresses: &[&str]| {
        let listing = listed(&sockets, addresses);
        listing.waiting.into_iter().map(|one| (one.socket.inode, one.name)).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]), [(6, Some(b"b".to_vec())), (5, None), (7, None)]);
    assert_eq!(found(&["a"]), [(7, Some(b"a".to_vec()))]);
    assert_eq!(found(&["c"]), []);
    assert_eq!(found(&[&"x".repeat(108)]), []);
}

#[test]
fn a_client_with_two_sockets_is_listed_once() {
    // An anchor with a slot, a connection with a slot, and a connection only.
    let sockets = [anchor(1, 7, 0, &[21, 31, 0]), waiting(11, 7, 0), waiting(12, 7, 9)];
    let processes: [(u32, &[u32]); 3] = [(1, &[1, 11]), (2, &[12, 21]), (3, &[31])];
    assert_eq!(clients(&sockets, &processes), [(11, Some(0)), (12, Some(9)), (31, None)]);
    // The same as threads of one process.
    assert_eq!(clients(&sockets, &[(1, &[1, 11, 12, 21, 31])]), [(11, Some(0)), (12, Some(9)), (31, None)]);
}

#[test]
fn each_client_of_a_process_is_listed() {
    // Others have all slots, or the client has none yet.
    assert_eq!(clients(&[anchor(1, 7, 3, &[])], &[(1, &[1])]), [(1, None)]);
    assert_eq!(clients(&[anchor(1, 7, 3, &[5, 4])], &[(1, &[1, 4, 5])]), [(1, None), (4, None), (5, None)]);
    assert_eq!(clients(&[waiting(2, 7, 4), waiting(1, 7, 5)], &[(1, &[1, 2])]), [(2, Some(4)), (1, Some(5))]);
    // The client with the anchor may have a slot behind. A watch has a front slot, but no connection.
    assert_eq!(clients(&[anchor(1, 7, 0, &[]), waiting(2, 7, 4)], &[(1, &[1, 2])]), [(2, Some(4))]);
    let sockets = [anchor(1, 7, 0, &[3]), waiting(2, 7, 3)];
    assert_eq!(clients(&sockets, &[(1, &[1]), (2, &[2, 3])]), [(2, Some(3)), (1, None), (3, None)]);
    // An anchor takes a front slot, so that the other slot is left to the connection.
    let sockets = [anchor(1, 7, 0, &[4]), waiting(2, 7, 200), waiting(3, 7, 0)];
    assert_eq!(clients(&sockets, &[(1, &[1, 2, 3, 4])]), [(3, Some(0)), (2, Some(200))]);
}

#[test]
fn clients_of_several_addresses_are_not_mixed() {
    let sockets = [anchor(1, 8, 0, &[3]), waiting(2, 7, 4), anchor(4, 7, 0, &[5])];
    assert_eq!(clients(&sockets, &[(1, &[1, 2, 3, 4, 5])]), [(2, Some(4)), (5, None), (1, None), (3, None)]);
}

#[test]
fn a_shared_socket_belongs_to_the_same_client() {
    let sockets = [anchor(1, 7, 0, &[3, 4]), waiting(2, 7, 4)];
    let processes: [(u32, &[u32]); 3] = [(1, &[1, 2]), (2, &[2, 3]), (3, &[4])];
    assert_eq!(clients(&sockets, &processes), [(2, Some(4)), (3, None), (4, None)]);
    assert_eq!(clients(&sockets, &processes[1..]), [(2, Some(4)), (1, None), (4, None)]);
}

#[test]
fn sockets_without_processes_are_those_of_their_owner() {
    let of = |uid, socket| Socket { uid: Some(uid), ..socket };
    let connection = |inode| Socket { inode, kind: 1, state: ESTABLISHED, ..Socket::default() };
    let sockets = [
        of(1, anchor(1, 7, 0, &[5, 6, 7])),
        of(1, waiting(2, 7, 0)),
        of(1, waiting(3, 7, 4)),
        of(2, waiting(4, 7, 5)),
        of(1, connection(5)),
        of(2, connection(6)),
        of(1, connection(7)),
    ];
    assert_eq!(clients(&sockets, &[]), [(2, Some(0)), (3, Some(4)), (4, Some(5)), (7, None)]);
}

#[test]
fn other_sockets_with_such_names_are_not_anchors() {
    let bound = Socket { state: 7, ..anchor(1, 7, 0, &[2]) };
    let behind = anchor(3, 7, 4, &[4]);
    let unpadded = Socket { name: Some(b"\0mmsysio-waiting/0000000000000007/00".to_vec()), ..anchor(5, 7, 0, &[6]) };
    let server = Socket { kind: 5, ..anchor(7, 7, 1, &[8]) };
    let unknown = Socket { pending: None, receive_queue: Some(3), ..anchor(9, 7, 2, &[]) };
    assert_eq!(clients(&[bound, behind, unpadded, server, unknown], &[]), [(9, None)]);
}

fn example() -> Listing {
    let sockets = [
        Socket { pending: Some(vec![30, 0]), receive_queue: Some(2), ..listener(1, padded(b"demo")) },
        accepted(10, padded(b"demo"), Some(20)),
        accepted(11, padded(b"demo"), None),
        Socket { uid: Some(4_000_000_001), ..listener(90, Some(b"\0\x1b[2J".to_vec())) },
        waiting(5, slots::hash(b"demo").unwrap(), 254),
        waiting(6, 77, 0),
    ];
    listed(&sockets, &[])
}

#[test]
fn the_table_is_aligned() {
    let expected = "\
ADDRESS                                    PID  PROGRAM  USER        BACKLOG  CONNECTIONS
\\x1b[2J                                      -  -        4000000001  0/4096   0
  not padded: libmmsysio cannot connect
demo                                      1001  p1001    root        2/4096   2
                                          1002  p1002    root
  connection                             20020  p20020   root
  closed                                     -  -        -
  pending                                30030  p30030   root

WAITING FOR                                PID  PROGRAM  USER
demo                                      5005  p5005    root
?000000000000004d                         6006  p6006    root
";
    let squeezed = |text: &str| text.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let table = text(&example());
    assert_eq!(squeezed(&table), squeezed(expected));
    let column = |line: &str, text: &str| line.find(text).unwrap();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(column(lines[0], "PROGRAM"), column(lines[3], "p1001"));
    assert_eq!(column(lines[0], "PROGRAM"), column(lines[5], "p20020"));
    assert_eq!(column(lines[0], "BACKLOG"), column(lines[1], "0/4096"));
    assert_eq!(column(lines[0], "CONNECTIONS"), lines[1].len() - 1);
    assert!(lines.iter().all(|line| !line.ends_with(' ')));
}

#[test]
fn colors_do_not_change_the_text() {
    let colored = table::render(&example(), Color::Always.style(), true);
    assert!(colored.contains("\x1b[36mdemo\x1b[0m"));
    let mut plain = colored;
    for code in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[36m"] {
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, text(&example()));
}

#[test]
fn an_empty_table_has_a_header_if_wanted() {
    let empty = listed(&[], &[]);
    assert_eq!(text(&empty), "ADDRESS  PID  PROGRAM  USER  BACKLOG  CONNECTIONS\n");
    assert_eq!(table::render(&empty, Color::Never.style(), false), "");
}

#[test]
fn long_addresses_do_not_widen_the_table() {
    let sockets = [listener(1, padded(&[b'x'; FULL_NAME])), listener(2, padded(b"y"))];
    let table = text(&listed(&sockets, &[]));
    assert!(table.starts_with("ADDRESS   PID  "));
    assert!(table.contains(&format!("{}  1001  p1001", "x".repeat(FULL_NAME))));
}

#[test]
fn the_document_has_all_members() {
    let document =
        json::document(&listed(&[accepted(10, padded(b"a"), None), listener(1, padded(b"a"))], &[])).to_string();
    let process = |pid: u32| format!(r#"{{"pid": {pid}, "program": "p{pid}", "uid": 0, "user": "root"}}"#);
    let expected = format!(
        concat!(
            r#"{{"servers": [{{"address": "a", "kind": "abstract", "name": "a", "padded": true, "found": null, "#,
            r#""type": "seqpacket", "inode": 1, "uid": 4000000001, "user": null, "processes": [{}, {}], "#,
            r#""backlog": {{"pending": 0, "maximum": 4096, "clients": []}}, "#,
            r#""connections": [{{"inode": 10, "uid": null, "user": null, "processes": [{}], "#,
            r#""peer": {{"inode": null, "uid": null, "user": null, "processes": []}}}}]}}], "waiting": []}}"#
        ),
        process(1001),
        process(1002),
        process(10010)
    );
    assert_eq!(document, expected);
    let document = json::document(&listed(&[waiting(2, 77, 3)], &[])).to_string();
    let expected = format!(
        r#"{{"servers": [], "waiting": [{{"address": null, "hash": "000000000000004d", "slot": 3, "inode": 2, "uid": null, "user": null, "processes": [{}]}}]}}"#,
        process(2002)
    );
    assert_eq!(document, expected);
    let document = json::document(&listed(&[anchor(2, 77, 3, &[])], &[])).to_string();
    assert_eq!(document, expected.replace(r#""slot": 3"#, r#""slot": null"#));
}
