// SPDX-License-Identifier: Apache-2.0
//! Addresses as they are written on the command line.

use crate::failure::Failure;
use crate::mmsysio::PATH;
use crate::text::escaped;
use std::ffi::{CString, OsStr};
use std::fmt;
use std::os::unix::ffi::OsStrExt;

/// The address of a server: an abstract name, or a path in the file system.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    Name(CString),
    Path(CString),
}

impl Address {
    /// `path:FILE` is a path, `@NAME` an abstract name, and anything else an abstract name too.
    pub fn parse(text: &OsStr) -> Result<Address, String> {
        let bytes = text.as_bytes();
        let (make, bytes): (fn(CString) -> Address, _) = match (bytes.strip_prefix(b"path:"), bytes.strip_prefix(b"@"))
        {
            (Some(path), _) => (Address::Path, path),
            (None, Some(name)) => (Address::Name, name),
            (None, None) => (Address::Name, bytes),
        };
        if bytes.is_empty() {
            return Err(format!("the address \"{}\" is empty", escaped(text.as_bytes())));
        }
        // An argument contains no NUL byte.
        CString::new(bytes).map(make).map_err(|_| "an address contains a NUL byte".to_owned())
    }

    /// The string that the functions of the library take. [`Address::flags`] says what it is.
    pub fn as_c_str(&self) -> &std::ffi::CStr {
        match self {
            Address::Name(text) | Address::Path(text) => text,
        }
    }

    /// The permissions of a server at this address: those of --mode, or 600 for a path.
    pub fn mode(&self, permissions: Option<u32>) -> Result<u32, Failure> {
        match (self, permissions) {
            (Address::Name(_), Some(_)) => Err(Failure::usage("--mode needs an address of the form path:FILE")),
            (Address::Name(_), None) => Ok(0),
            (Address::Path(_), mode) => Ok(mode.unwrap_or(0o600)),
        }
    }

    /// 0 or MM_IPC_PATH.
    pub fn flags(&self) -> i32 {
        match self {
            Address::Name(_) => 0,
            Address::Path(_) => PATH,
        }
    }
}

/// The form that [`Address::parse`] reads, with escapes.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let bytes = self.as_c_str().to_bytes();
        let prefix = match self {
            Address::Path(_) => "path:",
            Address::Name(_) if bytes.starts_with(b"@") || bytes.starts_with(b"path:") => "@",
            Address::Name(_) => "",
        };
        write!(f, "{prefix}{}", escaped(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Address::parse(OsStr::new(text)).map_or_else(|message| message, |address| address.to_string())
    }

    #[test]
    fn an_address_is_shown_as_it_can_be_given() {
        for text in ["demo", "/run/demo", "path:/run/demo", "@@demo", "@path:demo", "path:@x"] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("@demo"), "demo");
        assert!(matches!(Address::parse(OsStr::new("path:x")), Ok(Address::Path(path)) if path.as_bytes() == b"x"));
        assert!(
            matches!(Address::parse(OsStr::new("@path:x")), Ok(Address::Name(name)) if name.as_bytes() == b"path:x")
        );
    }

    #[test]
    fn an_empty_address_is_refused() {
        for text in ["", "@", "path:"] {
            assert!(Address::parse(OsStr::new(text)).is_err());
        }
    }
}
