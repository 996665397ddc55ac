// SPDX-License-Identifier: Apache-2.0
//! Comparison of the constants in the public headers, which are written by hand, with those of the core.

use crate::error::{log, number, record};
use crate::fs::{flags, mode};
use crate::ipc::flags as ipc;
use crate::mem::map;
use crate::process;
use std::collections::BTreeMap;
use std::format;
use std::string::String;

/// Returns the macros in the headers that have a numeric value, by name.
fn macros() -> BTreeMap<String, i64> {
    let mut macros = BTreeMap::new();
    for header in ["mmsysio.h", "mmipc.h", "mmerrno.h", "mmlog.h"] {
        let path = format!("{}/include/{header}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines() {
            let line = line.split("/*").next().unwrap();
            let macro_of = |line: &str| {
                let (name, value) = line.strip_prefix("#define ")?.split_once(' ')?;
                Some((String::from(name), value_of(value.trim())?))
            };
            macros.extend(macro_of(line));
        }
    }
    macros
}

/// Evaluates a number, a shift or a difference, with or without parentheses.
fn value_of(text: &str) -> Option<i64> {
    let text = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    if let Some((left, right)) = text.split_once(" << ") {
        return Some(value_of(left)? << value_of(right)?);
    }
    if let Some((left, right)) = text.split_once(" - ") {
        return Some(value_of(left)? - value_of(right)?);
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let value = digits.strip_prefix("0x").map_or_else(|| digits.parse(), |digits| i64::from_str_radix(digits, 16));
    value.ok().map(|value| sign * value)
}

#[test]
fn constants_match_the_headers() {
    let macros = macros();
    for (name, value) in [
        ("MODE_DEF", mode::DEFAULT),
        ("MODE_EXEC", mode::EXECUTABLE),
        ("MM_DT_UNKNOWN", flags::UNKNOWN),
        ("MM_DT_FIFO", flags::FIFO),
        ("MM_DT_CHR", flags::CHR),
        ("MM_DT_BLK", flags::BLK),
        ("MM_DT_DIR", flags::DIR),
        ("MM_DT_REG", flags::REG),
        ("MM_DT_LNK", flags::LNK),
        ("MM_DT_SOCK", flags::SOCK),
        ("MM_RECURSIVE", flags::RECURSIVE),
        ("MM_FAILONERROR", flags::FAILONERROR),
        ("MM_NOFOLLOW", flags::NOFOLLOW),
        ("MM_NOCOW", flags::NOCOW),
        ("MM_FORCECOW", flags::FORCECOW),
        ("MM_SPAWN_DAEMONIZE", process::DAEMONIZE),
        ("MM_SPAWN_KEEP_FDS", process::KEEP_FDS),
        ("MM_WSTATUS_EXITED", process::WSTATUS_EXITED),
        ("MM_WSTATUS_SIGNALED", process::WSTATUS_SIGNALED),
        ("MM_MAP_READ", map::READ),
        ("MM_MAP_WRITE", map::WRITE),
        ("MM_MAP_EXEC", map::EXEC),
        ("MM_MAP_SHARED", map::SHARED),
        ("MM_MAP_PRIVATE", 0),
        ("MM_IPC_CLOEXEC", ipc::CLOEXEC),
        ("MM_IPC_NONBLOCK", ipc::NONBLOCK),
        ("MM_IPC_PATH", ipc::PATH),
        ("MM_EDISCONNECTED", number::DISCONNECTED),
        ("MM_EWRONGSTATE", number::WRONGSTATE),
        ("MM_ENOTFOUND", number::NOTFOUND),
        ("MM_EBADFMT", number::BADFMT),
        ("MM_ENONAME", number::NONAME),
        ("MM_ERROR_IGNORE", record::IGNORE),
        ("MM_ERROR_NOLOG", record::NOLOG),
        ("MM_LOG_NONE", log::NONE),
        ("MM_LOG_ERROR", log::ERROR),
        ("MM_LOG_WARN", log::WARN),
        ("MM_LOG_INFO", log::INFO),
    ] {
        assert_eq!(macros.get(name), Some(&i64::from(value)), "{name}");
    }
}
