//! Pixels in memory: scaled, turned, written as JPEG.

use fast_image_resize::{PixelType, ResizeOptions, Resizer, images::Image};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::{DecodeError, PhotoError, THUMBNAIL_MAX_BYTES, facts::Orientation};

const MASTER_QUALITY: u8 = 80;

/// Tried in order until a thumbnail is small enough. The last edge always is: 32 × 32 pixels are 24 blocks
/// of 64 coefficients of at most 27 bits, about 5 KB, and 0.7 KB of tables.
pub(super) const THUMBNAIL_EDGES: [u32; 4] = [256, 128, 64, 32];
const THUMBNAIL_QUALITIES: [u8; 5] = [75, 60, 45, 30, 15];

/// An RGB picture, 8 bits per channel.
pub(super) struct Picture(Image<'static>);

impl Picture {
    /// Takes pixels in rows from the top left; fails if there are too few or too many.
    pub(super) fn new(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, PhotoError> {
        Image::from_vec_u8(width, height, rgb, PixelType::U8x3)
            .ok()
            .filter(|image| image.buffer().len() == width as usize * height as usize * 3)
            .map(Self)
            .ok_or(PhotoError::Damaged(DecodeError::Short))
    }

    pub(super) fn width(&self) -> u32 {
        self.0.width()
    }

    pub(super) fn height(&self) -> u32 {
        self.0.height()
    }

    /// Returns the picture in another size.
    pub(super) fn scaled(self, width: u32, height: u32) -> Result<Self, PhotoError> {
        if (self.width(), self.height()) == (width, height) {
            return Ok(self);
        }
        self.resized(width, height)
    }

    fn resized(&self, width: u32, height: u32) -> Result<Self, PhotoError> {
        let mut target = Image::new(width, height, PixelType::U8x3);
        Resizer::new()
            .resize(&self.0, &mut target, &ResizeOptions::new())
            .map_err(PhotoError::Scale)?;
        Ok(Self(target))
    }

    /// Returns the picture as it was seen by the photographer.
    pub(super) fn turned(self, orientation: Orientation) -> Self {
        if orientation == Orientation::UPRIGHT {
            return self;
        }
        let (width, height) = (self.width(), self.height());
        let (across, down) = if orientation.swaps_axes() {
            (height, width)
        } else {
            (width, height)
        };
        let source = self.0.buffer();
        let mut rgb = Vec::with_capacity(source.len());
        for y in 0..down {
            for x in 0..across {
                let (column, row) = orientation.source(x, y, across, down);
                let at = (row * width + column) as usize * 3;
                rgb.extend_from_slice(&source[at..at + 3]);
            }
        }
        Self(
            Image::from_vec_u8(across, down, rgb, PixelType::U8x3)
                .expect("turning keeps the number of pixels"),
        )
    }

    /// Returns the JPEG file of the master.
    pub(super) fn master(&self) -> Result<Vec<u8>, PhotoError> {
        let mut file = Vec::new();
        self.encode(Encoder::new(&mut file, MASTER_QUALITY))?;
        Ok(file)
    }

    /// Returns the JPEG file of the thumbnail.
    pub(super) fn thumbnail(&self) -> Result<Vec<u8>, PhotoError> {
        let mut file = Vec::new();
        for edge in THUMBNAIL_EDGES {
            let (width, height) = fit((self.width(), self.height()), edge);
            let small = self.resized(width, height)?;
            for quality in THUMBNAIL_QUALITIES {
                file.clear();
                let mut encoder = Encoder::new(&mut file, quality);
                encoder.set_optimized_huffman_tables(true);
                small.encode(encoder)?;
                if file.len() <= THUMBNAIL_MAX_BYTES {
                    return Ok(file);
                }
            }
        }
        Ok(file)
    }

    fn encode(&self, mut encoder: Encoder<&mut Vec<u8>>) -> Result<(), PhotoError> {
        encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
        let (width, height) = (narrow(self.width()), narrow(self.height()));
        encoder.encode(self.0.buffer(), width, height, ColorType::Rgb)?;
        Ok(())
    }
}

/// Returns the size of a picture whose longest edge may be `edge`; never a larger one, never nothing.
pub(super) fn fit((width, height): (u32, u32), edge: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= edge {
        return (width, height);
    }
    let scale = |side: u32| {
        let rounded =
            (u64::from(side) * u64::from(edge) + u64::from(longest / 2)) / u64::from(longest);
        u32::try_from(rounded).unwrap_or(edge).max(1)
    };
    (scale(width), scale(height))
}

/// Pictures to encode were fitted to at most 2200 pixels before.
fn narrow(edge: u32) -> u16 {
    u16::try_from(edge).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_pure_noise_still_has_a_small_thumbnail() {
        let mut state = 1_u32;
        let noise: Vec<u8> = (0..256 * 256 * 3)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let picture = Picture::new(256, 256, noise).unwrap();

        assert!(picture.thumbnail().unwrap().len() <= THUMBNAIL_MAX_BYTES);
    }

    #[test]
    fn the_last_resort_of_a_thumbnail_fits_at_every_quality() {
        let checks: Vec<u8> = (0..32 * 32 * 3)
            .map(|at| {
                if (at / 3 + at / 96 + at % 3) % 2 == 0 {
                    0
                } else {
                    255
                }
            })
            .collect();
        let picture = Picture::new(32, 32, checks).unwrap();

        let mut file = Vec::new();
        picture.encode(Encoder::new(&mut file, 100)).unwrap();
        assert!(file.len() <= THUMBNAIL_MAX_BYTES);
    }

    #[test]
    fn a_picture_shrinks_to_the_edge_and_never_grows() {
        assert_eq!(fit((4032, 3024), 1600), (1600, 1200));
        assert_eq!(fit((3024, 4032), 1600), (1200, 1600));
        assert_eq!(fit((640, 480), 1600), (640, 480));
        assert_eq!(fit((65_535, 1), 1600), (1600, 1));
    }
}
