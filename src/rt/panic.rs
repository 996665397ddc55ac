// SPDX-License-Identifier: Apache-2.0
//! The panic handler. No argument of a C caller can cause a panic. If a panic occurs nevertheless, it must not unwind
//! into C.

use super::text::Text;
use core::fmt::Write;
use core::panic::PanicInfo;

#[panic_handler]
fn report_and_abort(info: &PanicInfo) -> ! {
    let mut line = Text::<256>::new();
    let _ = line.write_str(concat!("lib", env!("CARGO_PKG_NAME"), ": internal error"));
    if let Some(location) = info.location() {
        let _ = write!(line, " at {}:{}", location.file(), location.line());
    }
    line.push(b"\n");
    // SAFETY: the text is valid for reading; abort() takes no argument.
    unsafe {
        libc::write(libc::STDERR_FILENO, line.as_bytes().as_ptr().cast(), line.as_bytes().len());
        libc::abort()
    }
}
