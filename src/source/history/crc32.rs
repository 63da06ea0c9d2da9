//! CRC-32 as zlib and Java have it (<https://www.rfc-editor.org/rfc/rfc1952#section-8>).

/// The checksum of `bytes`, a bit at a time: files are small, and each is looked at once.
pub(super) fn crc32(bytes: impl IntoIterator<Item = u8>) -> u32 {
    let mut remainder = u32::MAX;
    for byte in bytes {
        remainder ^= u32::from(byte);
        for _ in 0..8 {
            let divisor = if remainder & 1 == 1 { 0xEDB8_8320 } else { 0 };
            remainder = (remainder >> 1) ^ divisor;
        }
    }
    !remainder
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_check_value_of_the_algorithm() {
        assert_eq!(crc32(*b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32([]), 0);
    }
}
