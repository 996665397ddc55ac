// SPDX-License-Identifier: Apache-2.0
//! Server names and their socket addresses.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::rt::text::Quoted;
use core::ffi::{CStr, c_char};
use core::fmt;

/// An abstract socket address: a NUL byte, the name, and NUL bytes up to the size of `sockaddr_un`.
///
/// The kernel treats the padding as part of the name. mmlib always passes the full size, so this library must do the
/// same to reach programs that use mmlib.
pub struct Address<'a> {
    name: &'a [u8],
    native: libc::sockaddr_un,
}

impl<'a> Address<'a> {
    /// Returns the address of the server `name`. ENAMETOOLONG: the name has more than 107 bytes.
    pub fn new(name: &'a CStr) -> Result<Address<'a>> {
        let name = name.to_bytes();
        let mut native = libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path: [0; 108] };
        let [_abstract_marker, space @ ..] = &mut native.sun_path;
        if name.len() > space.len() {
            return Err(Error::new(
                libc::ENAMETOOLONG,
                format_args!(
                    "IPC address of {} bytes exceeds the limit of {} bytes: {}",
                    name.len(),
                    space.len(),
                    Quoted(name)
                ),
            ));
        }
        for (to, from) in space.iter_mut().zip(name) {
            *to = *from as c_char;
        }
        Ok(Address { name, native })
    }

    pub fn native(&self) -> &libc::sockaddr_un {
        &self.native
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quoted(self.name).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn padded_name(name: &str) -> Option<Vec<u8>> {
        let name = CString::new(name).unwrap();
        let address = Address::new(&name).ok()?;
        Some(address.native().sun_path.map(|byte| byte as u8).to_vec())
    }

    #[test]
    fn a_name_is_abstract_and_padded_with_nul_bytes() {
        let wire = padded_name("name").unwrap();
        assert_eq!(wire.len(), 108);
        assert_eq!(&wire[..6], b"\0name\0");
        assert!(wire[6..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_name_may_be_empty_and_have_up_to_107_bytes() {
        assert_eq!(padded_name(""), Some(vec![0; 108]));
        let longest = padded_name(&"x".repeat(107)).unwrap();
        assert_eq!((longest[0], longest[107]), (0, b'x'));
        assert_eq!(padded_name(&"x".repeat(108)), None);
    }
}
