// SPDX-License-Identifier: Apache-2.0
//! The base directories of the user. They are determined once, from the environment at that time.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::rt::errno::PreservedErrno;
use crate::sys::env;
use crate::sys::memory::Joined;
use crate::sys::mmsysio::MM_ENOTFOUND;
use crate::sys::passwd::{self, NO_ENTRY};
use crate::sys::published::Published;
use crate::sys::thread::WithoutCancellation;
use core::ffi::{CStr, c_int};

#[derive(Clone, Copy)]
pub enum Directory {
    Home,
    Data,
    Config,
    Cache,
    Runtime,
}

impl Directory {
    #[track_caller]
    pub fn from_c(number: c_int) -> Result<Directory> {
        match number {
            0 => Ok(Directory::Home),
            1 => Ok(Directory::Data),
            2 => Ok(Directory::Config),
            3 => Ok(Directory::Cache),
            4 => Ok(Directory::Runtime),
            _ => Err(Error::new(libc::EINVAL, format_args!("{number} is not the number of a base directory"))),
        }
    }
}

/// The directories that are below the home directory are None if that is not known.
struct Directories {
    home: Option<Joined>,
    data: Option<Joined>,
    config: Option<Joined>,
    cache: Option<Joined>,
    runtime: Joined,
}

static DIRECTORIES: Published<Directories> = Published::new();

#[track_caller]
pub fn path_of(directory: Directory) -> Result<&'static CStr> {
    let directories = match DIRECTORIES.get() {
        Some(directories) => directories,
        None => determine().and_then(|new| DIRECTORIES.set(new)).ok_or_else(|| {
            Error::new(libc::ENOMEM, format_args!("cannot determine the base directories: out of memory"))
        })?,
    };
    let path = match directory {
        Directory::Home => directories.home.as_ref(),
        Directory::Data => directories.data.as_ref(),
        Directory::Config => directories.config.as_ref(),
        Directory::Cache => directories.cache.as_ref(),
        Directory::Runtime => Some(&directories.runtime),
    };
    path.map(Joined::text).ok_or_else(|| {
        Error::new(
            MM_ENOTFOUND,
            format_args!("no home directory: HOME is not set, and the user is not in the password database"),
        )
    })
}

/// None: not enough memory.
fn determine() -> Option<Directories> {
    let _errno = PreservedErrno::new();
    // The password database may be on another machine.
    let _no_cancellation = WithoutCancellation::new();
    let home = home()?;
    let below_home = |variable, below: &[u8]| match own_directory(variable)? {
        Some(directory) => Some(Some(directory)),
        None => home
            .as_ref()
            .map(|home| Joined::new(&[home.text().to_bytes(), below]))
            .map_or(Some(None), |path| path.map(Some)),
    };
    Some(Directories {
        data: below_home(c"XDG_DATA_HOME", b"/.local/share")?,
        config: below_home(c"XDG_CONFIG_HOME", b"/.config")?,
        cache: below_home(c"XDG_CACHE_HOME", b"/.cache")?,
        runtime: match own_directory(c"XDG_RUNTIME_DIR")? {
            Some(directory) => directory,
            None => env::getenv(c"TEMP", |temporary| {
                env::getenv(c"USERNAME", |user| {
                    Joined::new(&[temporary.unwrap_or(c"/tmp").to_bytes(), b"/", user.unwrap_or(c"self").to_bytes()])
                })
            })?,
        },
        home,
    })
}

fn copy(value: &CStr) -> Option<Joined> {
    Joined::new(&[value.to_bytes()])
}

/// The outer None: not enough memory. The inner None: there is no home directory.
fn home() -> Option<Option<Joined>> {
    for variable in [c"HOME", c"USERPROFILE"] {
        if let Some(home) = env::getenv(variable, |value| value.map(copy)) {
            return home.map(Some);
        }
    }
    match passwd::home_of_real_user(copy) {
        Ok(home) => home.map(Some),
        Err(NO_ENTRY) => Some(None),
        Err(_) => None,
    }
}

/// The value of an XDG variable. By the rule of XDG, an empty value counts as none. The outer None: not enough memory.
fn own_directory(variable: &CStr) -> Option<Option<Joined>> {
    env::getenv(variable, |value| match value.filter(|value| !value.is_empty()) {
        Some(value) => copy(value).map(Some),
        None => Some(None),
    })
}

/// A path in the directory, with one slash between. The caller owns the text.
#[track_caller]
pub fn path_below(directory: Directory, suffix: &CStr) -> Result<Joined> {
    let base = path_of(directory)?;
    Joined::new(&[base.to_bytes(), b"/", suffix.to_bytes()])
        .ok_or_else(|| Error::new(libc::ENOMEM, format_args!("cannot allocate a path: out of memory")))
}
