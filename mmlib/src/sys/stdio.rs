// SPDX-License-Identifier: Apache-2.0
//! The streams of the C library, which the program also writes to.

unsafe extern "C" {
    static stdout: *mut libc::FILE;
    static stderr: *mut libc::FILE;
}

#[derive(Clone, Copy)]
pub enum Stream {
    Output,
    Error,
}

/// Writes bytes to a stream. The stream remembers a failure.
pub fn fwrite(stream: Stream, bytes: &[u8]) {
    // SAFETY: the streams exist as long as the process. The slice is valid for reading.
    unsafe {
        let stream = match stream {
            Stream::Output => stdout,
            Stream::Error => stderr,
        };
        libc::fwrite(bytes.as_ptr().cast(), 1, bytes.len(), stream);
    }
}
