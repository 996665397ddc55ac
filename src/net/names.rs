// SPDX-License-Identifier: Apache-2.0
//! Resolving names of hosts and services with the C library.
#![forbid(unsafe_code)]

use crate::error::number;
use crate::error::record::is_ignoring;
use crate::error::{Error, Result};
use crate::os::resolver::{self, AddressList};
use crate::rt::text::Quoted;
use crate::sys::resolver::{Failure, gai_strerror};
use core::ffi::{CStr, c_int};
use core::fmt::{self, Arguments};

/// A query to the resolver.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    pub node: Option<&'a CStr>,
    pub service: Option<&'a CStr>,
    pub hints: Option<&'a libc::addrinfo>,
}

pub fn resolve(query: Query) -> Result<AddressList> {
    resolver::addresses(query.node, query.service, query.hints).map_err(|failure| match query.misuse() {
        Some(reason) => Error::new(libc::EINVAL, format_args!("cannot resolve {query}: {reason}")),
        None => error(failure, format_args!("cannot resolve {query}")),
    })
}

impl Query<'_> {
    /// Returns the reason if the arguments are invalid. This is checked only after a failure.
    fn misuse(&self) -> Option<&'static str> {
        let asks_for = |flag| self.hints.is_some_and(|hints| hints.ai_flags & flag != 0);
        match (self.node, self.service) {
            (None, None) => Some("neither a node nor a service is given"),
            (None, _) if asks_for(libc::AI_CANONNAME) => Some("AI_CANONNAME requires a node"),
            (_, Some(service)) if asks_for(libc::AI_NUMERICSERV) && !is_number(service) => {
                Some("AI_NUMERICSERV requires a numeric service")
            }
            _ => None,
        }
    }
}

fn is_number(service: &CStr) -> bool {
    !service.is_empty() && service.to_bytes().iter().all(u8::is_ascii_digit)
}

impl fmt::Display for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host {}, service {}", Shown(self.node), Shown(self.service))
    }
}

struct Shown<'a>(Option<&'a CStr>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => Quoted(name.to_bytes()).fmt(f),
            None => f.write_str("NULL"),
        }
    }
}

/// Converts a failure of the resolver to an error with an errno value or a number of mmerrno.h.
#[cold]
#[track_caller]
pub fn error(failure: Failure, what: Arguments) -> Error {
    match failure.code {
        libc::EAI_SYSTEM if failure.errno.0 != 0 => Error::os(failure.errno, what),
        // gai_strerror() may read a message catalogue, so it is called only if the message is used.
        code if is_ignoring() => Error::new(number_of(code), what),
        code => gai_strerror(code, |message| Error::with_reason(number_of(code), what, message)),
    }
}

fn number_of(code: c_int) -> c_int {
    // The libc crate does not define these.
    const EAI_ADDRFAMILY: c_int = -9;
    const EAI_IDN_ENCODE: c_int = -105;
    match code {
        libc::EAI_BADFLAGS | EAI_IDN_ENCODE => libc::EINVAL,
        libc::EAI_NONAME | libc::EAI_NODATA => number::NONAME,
        libc::EAI_AGAIN => libc::EAGAIN,
        libc::EAI_FAMILY => libc::EAFNOSUPPORT,
        libc::EAI_SOCKTYPE => libc::EPROTOTYPE,
        libc::EAI_SERVICE => number::NOTFOUND,
        EAI_ADDRFAMILY => libc::EADDRNOTAVAIL,
        libc::EAI_MEMORY => libc::ENOMEM,
        libc::EAI_OVERFLOW => libc::EOVERFLOW,
        // EAI_FAIL, EAI_SYSTEM with errno 0, and unknown codes.
        _ => libc::EIO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use errno::Errno;

    #[test]
    fn every_code_of_the_resolver_is_converted_to_an_error_number() {
        let numbers: Vec<_> = (-12..=-1).map(number_of).collect();
        assert_eq!(numbers, [75, 5, 12, 99, 1005, 91, 97, 1010, 5, 11, 1010, 22]);
        assert_eq!([-105, -101, -13, 1, 1000].map(number_of), [22, 5, 5, 5, 5]);
    }

    #[test]
    fn a_system_failure_is_reported_as_its_errno_if_that_is_set() {
        let error =
            |number| error(Failure { code: libc::EAI_SYSTEM, errno: Errno(number) }, format_args!("cannot resolve"));
        assert!(error(libc::EMFILE).is(libc::EMFILE));
        assert!(error(0).is(libc::EIO));
    }

    #[test]
    fn a_service_of_digits_only_is_a_number() {
        for (service, expected) in [(c"0", true), (c"70000", true), (c"", false), (c"-1", false), (c"1 ", false)] {
            assert_eq!(is_number(service), expected);
        }
    }
}
