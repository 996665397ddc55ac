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

/// A value for each directory.
struct Directories<T> {
    home: T,
    data: T,
    config: T,
    cache: T,
    runtime: T,
}

impl<T> Directories<T> {
    fn get(&self, directory: Directory) -> &T {
        match directory {
            Directory::Home => &self.home,
            Directory::Data => &self.data,
            Directory::Config => &self.config,
            Directory::Cache => &self.cache,
            Directory::Runtime => &self.runtime,
        }
    }
}

/// Only paths are kept, no failures: the password database may be unavailable for a moment.
static PATHS: Directories<Published<Joined>> = Directories {
    home: Published::new(),
    data: Published::new(),
    config: Published::new(),
    cache: Published::new(),
    runtime: Published::new(),
};

#[track_caller]
pub fn path_of(directory: Directory) -> Result<&'static CStr> {
    let published = PATHS.get(directory);
    if let Some(path) = published.get() {
        return Ok(path.text());
    }
    determine().and_then(publish).ok_or_else(|| {
        Error::new(libc::ENOMEM, format_args!("cannot determine the base directories: out of memory"))
    })?;
    published.get().map(Joined::text).ok_or_else(|| {
        Error::new(
            MM_ENOTFOUND,
            format_args!("no home directory: HOME is not set, and the password database has no entry for the user"),
        )
    })
}

/// A directory below the home directory is None if that is not known. The outer None: not enough memory.
fn determine() -> Option<Directories<Option<Joined>>> {
    let _errno = PreservedErrno::new();
    // The password database may be on another machine.
    let _no_cancellation = WithoutCancellation::new();
    let home = home()?;
    let below_home = |variable, below: &[u8]| match (own_directory(variable)?, &home) {
        (Some(directory), _) => Some(Some(directory)),
        (None, Some(home)) => Joined::new(&[home.text().to_bytes(), below]).map(Some),
        (None, None) => Some(None),
    };
    Some(Directories {
        data: below_home(c"XDG_DATA_HOME", b"/.local/share")?,
        config: below_home(c"XDG_CONFIG_HOME", b"/.config")?,
        cache: below_home(c"XDG_CACHE_HOME", b"/.cache")?,
        runtime: match own_directory(c"XDG_RUNTIME_DIR")? {
            Some(directory) => Some(directory),
            None => Some(default_runtime_directory()?),
        },
        home,
    })
}

fn default_runtime_directory() -> Option<Joined> {
    env::getenv(c"TEMP", |temporary| {
        env::getenv(c"USERNAME", |user| {
            Joined::new(&[temporary.unwrap_or(c"/tmp").to_bytes(), b"/", user.unwrap_or(c"self").to_bytes()])
        })
    })
}

/// Paths that another thread has already published remain. None: not enough memory.
fn publish(paths: Directories<Option<Joined>>) -> Option<()> {
    let set = |published: &'static Published<Joined>, path: Option<Joined>| match path {
        Some(path) => published.set(path).map(drop),
        None => Some(()),
    };
    set(&PATHS.home, paths.home)?;
    set(&PATHS.data, paths.data)?;
    set(&PATHS.config, paths.config)?;
    set(&PATHS.cache, paths.cache)?;
    set(&PATHS.runtime, paths.runtime)
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
