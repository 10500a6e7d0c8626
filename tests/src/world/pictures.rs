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
