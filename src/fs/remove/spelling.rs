// SPDX-License-Identifier: Apache-2.0
//! Classification of the path of a file to remove.
#![forbid(unsafe_code)]

/// The form of a path, according to its last component.
#[derive(Debug, PartialEq)]
pub enum Spelling<'a> {
    /// A name of a file of any type.
    Name,
    /// A name with trailing slashes, which must be a directory. The slashes are removed here.
    Directory(&'a [u8]),
    /// The path is `.` or `..`. Only the content is removed, because programs for mmlib rely on that.
    Dot,
    /// A longer path that ends in `.` or `..`. It cannot be used to remove a directory.
    Dots,
    Root,
}

impl Spelling<'_> {
    pub fn of(path: &[u8]) -> Spelling<'_> {
        let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
        let name = path.get(..end).unwrap_or_default();
        match name.rsplit(|byte| *byte == b'/').next().unwrap_or_default() {
            b"." | b".." if matches!(path, b"." | b"..") => Spelling::Dot,
            b"." | b".." => Spelling::Dots,
            b"" if !path.is_empty() => Spelling::Root,
            _ if end < path.len() => Spelling::Directory(name),
            _ => Spelling::Name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_classified_by_their_last_component() {
        let names: [&[u8]; 7] = [b"", b"a", b"/a", b"a/b", b"./a", b"../.a", b"..."];
        for path in names {
            assert_eq!(Spelling::of(path), Spelling::Name);
        }
        let directories: [(&[u8], &[u8]); 4] =
            [(b"a/", b"a"), (b"/a//", b"/a"), (b"a/b/", b"a/b"), (b"../.../", b"../...")];
        for (path, name) in directories {
            assert_eq!(Spelling::of(path), Spelling::Directory(name));
        }
        for path in [b".".as_slice(), b".."] {
            assert_eq!(Spelling::of(path), Spelling::Dot);
        }
        let dots: [&[u8]; 9] = [b"./", b"../", b".//", b"a/.", b"a/..", b"a/./", b"/.", b"/..", b"../.."];
        for path in dots {
            assert_eq!(Spelling::of(path), Spelling::Dots);
        }
        for path in [b"/".as_slice(), b"//", b"///"] {
            assert_eq!(Spelling::of(path), Spelling::Root);
        }
    }
}
