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
    const TABLE: [u8; 2] = [0xff, 0xdb];
    let mut bytes = photo(n);
    // Never within the picture's own bytes; a thumbnail's tables come before the picture's.
    let at = bytes
        .windows(5)
        .rposition(|window| window[..2] == TABLE && window[4] == 0)
        .unwrap_or_else(|| panic!("photo {n} has no table"));
    // The first entries carry the coarse shapes, so the pixels surely differ.
    for (digit, entry) in bytes[at + 5..at + 13].iter_mut().enumerate() {
        let spread = u8::try_from((variation >> (digit * 4)) & 0xf).unwrap_or(0);
        *entry = entry.saturating_add(spread);
    }
    bytes
}

/// Returns the nth of many photos that are small, for days on which hundreds are taken: of a size
/// that takes some pieces on a bad line, and next to no time to be made smaller.
pub fn small(n: usize) -> Vec<u8> {
    const SIDES: (u16, u16) = (160, 120);
    let mut grain = n as u64;
    let samples: Vec<u8> = (0..3 * usize::from(SIDES.0) * usize::from(SIDES.1))
        .map(|at| {
            grain = grain
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let shade = u8::try_from((at / 300 + n * 37) % 200).unwrap_or(0);
            shade + (grain.to_be_bytes()[0] >> 3)
        })
        .collect();
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder
        .encode(&samples, SIDES.0, SIDES.1, jpeg_encoder::ColorType::Rgb)
        .expect("samples of that many pixels");
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pocketbook::photos::thumbnail;

    use super::*;

    #[test]
    fn each_small_photo_is_another_photo() {
        let pictures: BTreeSet<_> = (0..100)
            .map(|n| thumbnail(&small(n)).expect("a photo"))
            .collect();
        assert_eq!(pictures.len(), 100);
    }

    #[test]
    fn each_variation_of_each_photo_is_another_photo() {
        let pictures: BTreeSet<_> = (0..SMALL.len())
            .flat_map(|n| [0, 1].map(|variation| varied(n, variation)))
            .map(|camera| thumbnail(&camera).expect("a photo"))
            .collect();

        assert_eq!(pictures.len(), SMALL.len() * 2);
    }
}
