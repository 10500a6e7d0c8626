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
    with_quantization(photo(n), variation)
}

/// Returns the nth of many photos that are small, for days on which hundreds are taken.
pub fn small(n: usize) -> Vec<u8> {
    with_quantization(stored("malformed/ok_scene.jpg"), n)
}

fn with_quantization(mut bytes: Vec<u8>, variation: usize) -> Vec<u8> {
    const TABLE: [u8; 2] = [0xff, 0xdb];
    // Never within the picture's own bytes; a thumbnail's tables come before the picture's.
    let at = bytes
        .windows(5)
        .rposition(|window| window[..2] == TABLE && window[4] == 0)
        .expect("a photo has a table");
    // The first entries carry the coarse shapes, so the pixels surely differ.
    for (digit, entry) in bytes[at + 5..at + 13].iter_mut().enumerate() {
        let spread = u8::try_from((variation >> (digit * 4)) & 0xf).unwrap_or(0);
        *entry = entry.saturating_add(spread);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pocketbook::photos::thumbnail;

    use super::*;

    #[test]
    fn each_variation_of_each_photo_is_another_photo() {
        let pictures: BTreeSet<_> = (0..SMALL.len())
            .flat_map(|n| [0, 1].map(|variation| varied(n, variation)))
            .map(|camera| thumbnail(&camera).expect("a photo"))
            .collect();

        assert_eq!(pictures.len(), SMALL.len() * 2);
    }
}
