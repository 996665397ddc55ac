// SPDX-License-Identifier: Apache-2.0
//! Socket options. For C programs, the two timeouts are an int of milliseconds. All other options are passed to the
//! kernel unchanged, and the option determines the meaning of `optval` and `optlen`.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::os::socket_option::{self, Value, ValueBuffer};
use crate::rt::fd::Fd;
use crate::sys::socket::{self, SocketOption};
use core::ffi::c_int;
use errno::Errno;

fn timeout_option(level: c_int, name: c_int) -> Option<SocketOption<libc::timeval>> {
    match (level, name) {
        (libc::SOL_SOCKET, libc::SO_RCVTIMEO) => Some(socket::SO_RCVTIMEO),
        (libc::SOL_SOCKET, libc::SO_SNDTIMEO) => Some(socket::SO_SNDTIMEO),
        _ => None,
    }
}

pub fn set(fd: Fd, level: c_int, name: c_int, value: Value) -> Result<()> {
    let failed =
        |e| Error::os(e, format_args!("cannot set socket option {name} at level {level} of file descriptor {fd}"));
    let Some(option) = timeout_option(level, name) else {
        return socket_option::set(fd, level, name, value).map_err(failed);
    };
    let size = value.size() as usize;
    if size != size_of::<c_int>() {
        return Err(Error::new(
            libc::EINVAL,
            format_args!(
                "cannot set timeout option {name} of file descriptor {fd}: the value must be an int of milliseconds, not {size} bytes"
            ),
        ));
    }
    // The size is right, so the value is null.
    let milliseconds = value.as_int().ok_or_else(|| failed(Errno(libc::EFAULT)))?;
    socket::setsockopt_value(fd, option, &time_of(milliseconds)).map_err(failed)
}

/// Both fields of a negative time are negative or zero. The kernel rejects it with EDOM, except for whole seconds.
fn time_of(milliseconds: c_int) -> libc::timeval {
    libc::timeval { tv_sec: (milliseconds / 1000) as libc::time_t, tv_usec: (milliseconds % 1000 * 1000) as _ }
}

#[allow(clippy::useless_conversion, reason = "they are shorter than i64 on some machines")]
fn milliseconds_of(time: &libc::timeval) -> c_int {
    let (seconds, microseconds) = (i64::from(time.tv_sec), i64::from(time.tv_usec));
    let milliseconds = seconds.saturating_mul(1000).saturating_add(microseconds / 1000);
    c_int::try_from(milliseconds).unwrap_or(c_int::MAX)
}

pub fn get(fd: Fd, buffer: &mut ValueBuffer) -> Result<()> {
    let (level, name) = (buffer.level(), buffer.name());
    let failed =
        |e| Error::os(e, format_args!("cannot get socket option {name} at level {level} of file descriptor {fd}"));
    // The size is read only for a timeout. For other options, and if `size` is null, the kernel checks the pointer.
    let timeout = timeout_option(level, name).and_then(|option| Some((option, buffer.capacity()?)));
    let Some((option, capacity)) = timeout else {
        return socket_option::get(fd, buffer).map_err(failed);
    };
    let milliseconds = milliseconds_of(&socket::getsockopt_value(fd, option).map_err(failed)?);
    if buffer.is_null() && capacity > 0 {
        return Err(failed(Errno(libc::EFAULT)));
    }
    buffer.store_int(milliseconds);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(milliseconds: c_int) -> (libc::time_t, libc::suseconds_t) {
        let time = time_of(milliseconds);
        (time.tv_sec, time.tv_usec)
    }

    #[test]
    fn milliseconds_are_converted_to_seconds_and_microseconds() {
        assert_eq!([0, 1, 1999, c_int::MAX].map(split), [(0, 0), (0, 1000), (1, 999_000), (2_147_483, 647_000)]);
        assert_eq!([-1, -1500, -2000].map(split), [(0, -1000), (-1, -500_000), (-2, 0)]);
    }

    #[test]
    fn long_times_saturate_at_the_maximum_int() {
        let reported = |tv_sec, tv_usec| milliseconds_of(&libc::timeval { tv_sec, tv_usec });
        assert_eq!(reported(1, 999_999), 1999);
        assert_eq!(reported(2_147_483, 647_999), c_int::MAX);
        assert_eq!(reported(2_147_483, 648_000), c_int::MAX);
        assert_eq!(reported(libc::time_t::MAX, 999_999), c_int::MAX);
    }
}
