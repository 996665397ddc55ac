// SPDX-License-Identifier: Apache-2.0
//! The label of a measure point.
#![forbid(unsafe_code)]

use crate::rt::text::Text;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// The longest label in bytes.
pub const LONGEST: usize = 63;

/// At most 63 bytes. An empty label is a label too.
pub struct Label {
    bytes: [AtomicU8; LONGEST],
    /// 0: no label; otherwise 1 more than its length.
    state: AtomicU8,
}

impl Label {
    pub const fn new() -> Label {
        Label { bytes: [const { AtomicU8::new(0) }; LONGEST], state: AtomicU8::new(0) }
    }

    #[inline]
    pub fn is_set(&self) -> bool {
        self.state.load(Relaxed) != 0
    }

    /// Sets the label, truncated if it is too long.
    pub fn set(&self, text: &[u8]) {
        let mut state = 1;
        for (to, from) in self.bytes.iter().zip(text) {
            to.store(*from, Relaxed);
            state += 1;
        }
        self.state.store(state, Relaxed);
    }

    pub fn clear(&self) {
        self.state.store(0, Relaxed);
    }

    /// None: there is no label.
    pub fn get(&self) -> Option<Text<{ LONGEST + 1 }>> {
        let length = self.state.load(Relaxed).checked_sub(1)?;
        let mut text = Text::new();
        for byte in self.bytes.iter().take(usize::from(length)) {
            text.push(&[byte.load(Relaxed)]);
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(label: &Label) -> Option<Vec<u8>> {
        label.get().map(|text| text.as_bytes().to_vec())
    }

    #[test]
    fn empty_labels_differ_from_no_label() {
        let label = Label::new();
        assert_eq!(text(&label), None);
        label.set(b"");
        assert_eq!(text(&label), Some(vec![]));
        label.clear();
        assert_eq!(text(&label), None);
    }

    #[test]
    fn labels_are_truncated_to_63_bytes() {
        let label = Label::new();
        label.set(&[b'a'; 63]);
        assert_eq!(text(&label), Some(vec![b'a'; 63]));
        label.set(&[b'b'; 64]);
        assert_eq!(text(&label), Some(vec![b'b'; 63]));
        label.set(b"short");
        assert_eq!(text(&label), Some(b"short".to_vec()));
    }
}
