// SPDX-License-Identifier: Apache-2.0
//! Permissions of new files and directories.
#![forbid(unsafe_code)]

use core::ffi::c_int;

/// Use the default permissions and ignore the other bits.
pub const DEFAULT: c_int = 1 << 16;
/// With [`DEFAULT`]: include execute or search permission.
pub const EXECUTABLE: c_int = 1 << 17;

/// Converts a mode argument from C to the mode for the kernel, which applies the umask.
pub fn translated(mode: c_int) -> libc::mode_t {
    match (mode & DEFAULT != 0, mode & EXECUTABLE != 0) {
        (true, true) => 0o777,
        (true, false) => 0o666,
        (false, _) => mode as libc::mode_t,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_modes_replace_all_other_bits() {
        assert_eq!(translated(DEFAULT), 0o666);
        assert_eq!(translated(DEFAULT | 0o1000), 0o666);
        assert_eq!(translated(DEFAULT | EXECUTABLE), 0o777);
        assert_eq!(translated(DEFAULT | EXECUTABLE | 0o1000), 0o777);
    }

    #[test]
    fn other_modes_are_unchanged() {
        assert_eq!(translated(0o1750), 0o1750);
        assert_eq!(translated(0), 0);
        assert_eq!(translated(EXECUTABLE | 0o700) & 0o7777, 0o700);
    }
}
