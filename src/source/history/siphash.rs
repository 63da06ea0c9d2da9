//! SipHash-1-3 with the key 0 (<https://www.aumasson.jp/siphash/siphash.pdf>): Rust's own hasher of maps is that
//! too, but does not promise to stay it.

use std::hash::Hasher;

/// A hasher of the bytes that are written to it.
#[derive(Debug, Clone)]
pub(super) struct SipHash13 {
    state: [u64; 4],
    /// Bytes that do not fill a word yet, the first in the lowest place.
    tail: u64,
    length: u64,
}

impl Default for SipHash13 {
    fn default() -> Self {
        // "somepseudorandomlygeneratedbytes"
        let state =
            [0x736f_6d65_7073_6575, 0x646f_7261_6e64_6f6d, 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573];
        Self { state, tail: 0, length: 0 }
    }
}

/// One round, of the one for each word and the three at the end.
fn round([mut v0, mut v1, mut v2, mut v3]: [u64; 4]) -> [u64; 4] {
    v0 = v0.wrapping_add(v1);
    v1 = v1.rotate_left(13) ^ v0;
    v0 = v0.rotate_left(32);
    v2 = v2.wrapping_add(v3);
    v3 = v3.rotate_left(16) ^ v2;
    v0 = v0.wrapping_add(v3);
    v3 = v3.rotate_left(21) ^ v0;
    v2 = v2.wrapping_add(v1);
    v1 = v1.rotate_left(17) ^ v2;
    v2 = v2.rotate_left(32);
    [v0, v1, v2, v3]
}

/// The state with one more word.
fn with_word(mut state: [u64; 4], word: u64) -> [u64; 4] {
    state[3] ^= word;
    state = round(state);
    state[0] ^= word;
    state
}

impl Hasher for SipHash13 {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let place = self.length % 8;
            self.tail |= u64::from(*byte) << (8 * place);
            self.length += 1;
            if place == 7 {
                self.state = with_word(self.state, self.tail);
                self.tail = 0;
            }
        }
    }

    fn finish(&self) -> u64 {
        let mut state = with_word(self.state, self.tail | self.length << 56);
        state[2] ^= 0xFF;
        for _ in 0..3 {
            state = round(state);
        }
        state.into_iter().fold(0, |sum, word| sum ^ word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hasher_that_rust_has_today() {
        let bytes: Vec<u8> = (0..100).collect();
        for end in 0..bytes.len() {
            let mut own = SipHash13::default();
            let mut theirs = std::collections::hash_map::DefaultHasher::new();
            for part in bytes[..end].chunks(7) {
                own.write(part);
                theirs.write(part);
            }
            assert_eq!(own.finish(), theirs.finish(), "{end}");
        }
    }
}
