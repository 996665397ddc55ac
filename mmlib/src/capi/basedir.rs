// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Base directories'.

use super::arg;
use super::ret::ret;
use crate::basedir::{self, Directory};
use core::ffi::{c_char, c_int};

/// The type in C is `enum mm_known_dir`; a program may pass any number.
pub type mm_known_dir = c_int;

/// mm_get_basedir() - get a base directory of the user
/// @dirtype:    MM_HOME, MM_DATA_HOME, MM_CONFIG_HOME, MM_CACHE_HOME or MM_RUNTIME_DIR
///
/// The directory comes from an environment variable; an empty value of a variable whose name begins with XDG counts as
/// none:
///
/// 	MM_HOME         HOME, or else USERPROFILE, or else the password entry of the real user
/// 	MM_DATA_HOME    XDG_DATA_HOME, or else the home directory and /.local/share
/// 	MM_CONFIG_HOME  XDG_CONFIG_HOME, or else the home directory and /.config
/// 	MM_CACHE_HOME   XDG_CACHE_HOME, or else the home directory and /.cache
/// 	MM_RUNTIME_DIR  XDG_RUNTIME_DIR, or else TEMP or /tmp, and a slash, and USERNAME or self
///
/// The first call of this function or of mm_path_from_basedir() determines all directories. They do not change
/// afterwards; but if the home directory was not found, the next call that needs it tries again. Values of variables are
/// not checked: the directory may be a relative path, and need not exist.
///
/// If XDG_RUNTIME_DIR is not set, the runtime directory is usually /tmp/self, which any user can create. A program that
/// uses it must check who owns it.
///
/// Return: the path, which belongs to the library and is valid until the process ends; NULL on failure, and the error
///   state is set.
///
/// Errors:
///   EINVAL           @dirtype is not one of these
///   MM_ENOTFOUND     the home directory is needed, HOME and USERPROFILE are not set, and the real user has no password
///                    entry, or the password database cannot be read
///   ENOMEM           not enough memory
///
/// Thread safety: MT-Safe, if no thread changes the environment during the first call
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: a process without HOME and USERPROFILE, or without memory, is not aborted; an empty
///   XDG variable counts as not set; exit handlers can use the directories.
#[unsafe(no_mangle)]
pub extern "C" fn mm_get_basedir(dirtype: mm_known_dir) -> *const c_char {
    ret(c"mm_get_basedir", || Ok(basedir::path_of(Directory::from_c(dirtype)?)?.as_ptr()))
}

/// mm_path_from_basedir() - get a path in a base directory of the user
/// @dirtype:    base directory, as for mm_get_basedir()
/// @suffix:     path in the directory; it is appended after one slash
///
/// Return: the path, to be released with free(); NULL on failure, and the error state is set.
///
/// Errors:
///   EINVAL           @suffix is NULL
///   as mm_get_basedir()
///
/// Thread safety: MT-Safe, if no thread changes the environment during the first call
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: see mm_get_basedir().
///
/// # Safety
/// `suffix` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_path_from_basedir(dirtype: mm_known_dir, suffix: *const c_char) -> *mut c_char {
    ret(c"mm_path_from_basedir", || {
        // SAFETY: a string, as the caller promised.
        let suffix = unsafe { arg::optional_string(suffix) }.ok_or_else(|| arg::null(libc::EINVAL, "suffix"))?;
        Ok(basedir::path_below(Directory::from_c(dirtype)?, suffix)?.into_raw())
    })
}
