//! Photos of noise: nothing compresses them, so each becomes a master of about 400 KiB, as large as
//! the blobs of the data set. Those cannot be decoded, and no phone takes in what it cannot decode.

use jpeg_encoder::{ColorType, Encoder};
use pocketbook_tests::sim::tape::Dice;
use pocketbook_tests::stack::Result;

const WIDTH: u16 = 800;
const HEIGHT: u16 = 600;

/// Returns the nth photo, as a camera gives it.
pub(crate) fn photo(n: u64) -> Result<Vec<u8>> {
    let mut dice = Dice::new(n);
    let count = usize::from(WIDTH) * usize::from(HEIGHT) * 3;
    let pixels: Vec<u8> = (0..count)
        .map(|_| u8::try_from(dice.below(256)).unwrap_or(0))
        .collect();
    let mut file = Vec::new();
    Encoder::new(&mut file, 90).encode(&pixels, WIDTH, HEIGHT, ColorType::Rgb)?;
    Ok(file)
}
