//! Doors under the banner 'Network communication'.

use super::ret::ret;
use crate::error::Error;
use crate::sys::socket;
use std::ffi::c_int;

/// mm_poll() - wait for events on descriptors
/// @fds:        descriptors and the events wanted of each; the events found are stored there
/// @nfds:       number of elements of @fds
/// @timeout_ms: longest time to wait, in milliseconds; 0 does not wait, a negative number waits without limit
///
/// As poll(): an element with a negative descriptor is passed over, one that is not open shows POLLNVAL. IPC
/// endpoints can be waited for as anything else.
///
/// Return: the number of elements with events, 0 if the time ran out; or -1, with the error state set to
///   EINVAL           @nfds is negative or above RLIMIT_NOFILE
///   EFAULT           @fds cannot be read and written
///   EINTR            a signal handler was called meanwhile
///   ENOMEM           not enough memory
///
/// MT-Safe. Cancellation point.
///
/// # Safety
/// `fds` and `nfds` are a pair of pointer and count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_poll(fds: *mut libc::pollfd, nfds: c_int, timeout_ms: c_int) -> c_int {
    ret("mm_poll", || {
        // SAFETY: the caller promised that the elements may be read and written; the kernel finds out where not.
        unsafe { socket::poll(fds, nfds, timeout_ms) }
            .map_err(|e| Error::os(e, format_args!("polling {nfds} descriptors for {timeout_ms} ms")))
    })
}
