// SPDX-License-Identifier: Apache-2.0
//! What the spelling of a path says about the file to remove.
#![forbid(unsafe_code)]

/// What a path is a spelling of, by its last component.
#[derive(Debug, PartialEq)]
pub enum Spelling<'a> {
    /// A name, of whatever it is.
    Name,
    /// The name of a directory, given here without the slashes behind it.
    Directory(&'a [u8]),
    /// The path is `.` or `..`, which only lose what they contain: mmlib's programs rely on that.
    Dot,
    /// A longer path that ends in `.` or `..`, by which no directory can be removed.
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
    fn the_last_component_decides_how_a_path_is_spelled() {
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
