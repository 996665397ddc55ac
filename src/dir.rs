//! Making directories with all their parents.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::sys::file;
use crate::sys::path::Path;
use errno::{Errno, errno, set_errno};
use std::ffi::CStr;

/// Makes the directory and those above it that are missing; that it exists already is no error. Others may make, at the
/// same time, any of them as well.
pub fn make_with_parents(path: Path, mode: libc::mode_t) -> Result<()> {
    let failed = |e: Errno| Error::os(e, format_args!("making directory {} and its parents", path.shown(e)));
    let errno_at_entry = errno();
    match make(path, mode) {
        Err(Errno(libc::ENOENT)) => {}
        made => return made.map_err(failed),
    }
    let Some(name) = path.to_c_str() else {
        return Err(failed(Errno(libc::EFAULT)));
    };
    make_from_above(name, mode).map_err(failed)?;
    set_errno(errno_at_entry);
    Ok(())
}

/// Makes one directory, or finds it made.
fn make(path: Path, mode: libc::mode_t) -> std::result::Result<(), Errno> {
    let errno_at_entry = errno();
    match file::make_directory(path, mode) {
        Err(Errno(libc::EEXIST)) => match file::status_of(path) {
            Ok(status) if status.st_mode & libc::S_IFMT == libc::S_IFDIR => {
                set_errno(errno_at_entry);
                Ok(())
            }
            // Something else has the name, or a link that leads nowhere.
            Ok(_) | Err(Errno(libc::ENOENT)) => Err(Errno(libc::EEXIST)),
            Err(unknown) => Err(unknown),
        },
        made => made,
    }
}

/// Goes up to the first directory that is there or can be made, then down again.
fn make_from_above(path: &CStr, mode: libc::mode_t) -> std::result::Result<(), Errno> {
    let ends = component_ends(path.to_bytes());
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(path.count_bytes() + 1).map_err(|_| Errno(libc::ENOMEM))?;
    let mut make_prefix = |end: usize| {
        buffer.clear();
        buffer.extend(path.to_bytes().iter().take(end));
        buffer.push(0);
        let prefix = CStr::from_bytes_with_nul(&buffer).map_err(|_| Errno(libc::EINVAL))?;
        make(prefix.into(), mode)
    };
    let mut missing = 0;
    while let Some(end) = ends.clone().nth_back(missing) {
        match make_prefix(end) {
            Err(Errno(libc::ENOENT)) => missing += 1,
            made => {
                made?;
                break;
            }
        }
    }
    let all = ends.clone().count();
    if missing == all {
        return Err(Errno(libc::ENOENT));
    }
    ends.skip(all - missing).try_for_each(make_prefix)
}

/// Where each component of a path ends, the first first.
fn component_ends(path: &[u8]) -> impl DoubleEndedIterator<Item = usize> + Clone + '_ {
    let is_slash = |at: usize| path.get(at).is_none_or(|byte| *byte == b'/');
    (1..=path.len()).filter(move |end| is_slash(*end) && !is_slash(*end - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(path: &str) -> Vec<&str> {
        component_ends(path.as_bytes()).map(|end| &path[..end]).collect()
    }

    #[test]
    fn a_path_has_a_prefix_for_each_component() {
        assert_eq!(prefixes("a/b/c"), ["a", "a/b", "a/b/c"]);
        assert_eq!(prefixes("/a//b///c//"), ["/a", "/a//b", "/a//b///c"]);
        assert_eq!(prefixes("new/../x"), ["new", "new/..", "new/../x"]);
        assert_eq!(prefixes("/"), [""; 0]);
        assert_eq!(prefixes(""), [""; 0]);
    }
}
