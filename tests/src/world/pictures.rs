//! Pictures for stories: real phone photos, small enough that a test does not wait for them.

#![expect(
    clippy::disallowed_methods,
    reason = "stored test input is read from the source tree, not by a device"
)]

use crate::data::data_folder;

const SMALL: [&str; 6] = [
    "sony_roadsign_gps_direction.jpg",
    "htc_parking_gps.jpg",
    "orientation_portrait_6.jpg",
    "iphone4_receipt_gps.jpg",
    "orientation_landscape_3.jpg",
    "gps_zero_odd_make.jpg",
];

/// Returns the nth photo as a camera gave it.
pub fn photo(n: usize) -> Vec<u8> {
    stored(&format!("real/{}", SMALL[n % SMALL.len()]))
}

/// Returns a stored picture by its name below `data/photos`.
pub fn stored(name: &str) -> Vec<u8> {
    let path = data_folder().join("photos").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the nth photo with other quantization, as if the camera had been set another way: what
/// comes out when it is decoded differs with the variation.
pub fn varied(n: usize, variation: usize) -> Vec<u8> {
    /// Segments with a length follow one another until the picture itself begins.
    const BEGINS: u8 = 0xda;
    const TABLES: u8 = 0xdb;
    let mut bytes = photo(n);
    let mut at = 2;
    while bytes[at + 1] != BEGINS {
        let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        if bytes[at + 1] == TABLES {
            // The first entries carry the coarse shapes, so the pixels surely differ.
            for (digit, entry) in bytes[at + 5..at + 69].iter_mut().take(8).enumerate() {
                let spread = u8::try_from((variation >> (digit * 4)) & 0xf).unwrap_or(0);
                *entry = entry.saturating_add(spread).max(1);
            }
            break;
        }
        at += 2 + length;
    }
    bytes
}
