//! JPEG decoding, straight at a half, a quarter or an eighth of the size where that is enough.
//!
//! The scaled inverse transform is what keeps time and memory small: the full-size picture never exists.

use jpeg_decoder::{CodingProcess, Decoder, Error, ImageInfo, PixelFormat};

use super::{
    DecodeError, Decoded, MAX_PIXELS, MAX_PIXELS_HELD_WHOLE, MAX_SCANS, PhotoError, check_pixels,
    picture::{Picture, fit},
};

/// Decodes a JPEG file to at least `edge` pixels on its longest edge, if it has them.
pub(super) fn decode(file: &[u8], edge: u32) -> Result<Decoded, PhotoError> {
    let mut decoder = Decoder::new(file);
    decoder.read_info().map_err(refuse)?;
    let info = info(&decoder)?;
    let stored = (u32::from(info.width), u32::from(info.height));
    check_pixels(stored.0, stored.1, pixel_limit(info)?)?;
    if scans(file) > MAX_SCANS {
        return Err(PhotoError::TooManyScans);
    }

    let (width, height) = fit(stored, edge);
    decoder
        .scale(narrow(width), narrow(height))
        .map_err(refuse)?;
    let pixels = decoder.decode().map_err(refuse)?;
    let scaled = self::info(&decoder)?;
    let picture = Picture::new(
        u32::from(scaled.width),
        u32::from(scaled.height),
        to_rgb(pixels, scaled.pixel_format)?,
    )?;
    Ok(Decoded {
        picture,
        stored,
        exif: decoder.exif_data().map(<[u8]>::to_vec),
    })
}

fn info<R: std::io::Read>(decoder: &Decoder<R>) -> Result<ImageInfo, PhotoError> {
    decoder
        .info()
        .ok_or(PhotoError::Damaged(DecodeError::Short))
}

/// Counts the starts of scans. Each takes time for all pixels, however few bytes it has; within a
/// scan the marker can't occur (ISO/IEC 10918-1, B.1.1.5).
fn scans(file: &[u8]) -> usize {
    const START_OF_SCAN: [u8; 2] = [0xFF, 0xDA];
    let pairs = file.windows(2);
    pairs.filter(|pair| *pair == START_OF_SCAN).count()
}

/// A progressive file keeps the coefficients of all its pixels until the last scan.
fn pixel_limit(info: ImageInfo) -> Result<u64, PhotoError> {
    match info.coding_process {
        CodingProcess::DctSequential => Ok(MAX_PIXELS),
        CodingProcess::DctProgressive => Ok(MAX_PIXELS_HELD_WHOLE),
        CodingProcess::Lossless => Err(PhotoError::UnsupportedFormat {
            name: "lossless JPEG",
        }),
    }
}

fn narrow(edge: u32) -> u16 {
    u16::try_from(edge).unwrap_or(u16::MAX)
}

fn to_rgb(pixels: Vec<u8>, format: PixelFormat) -> Result<Vec<u8>, PhotoError> {
    match format {
        PixelFormat::RGB24 => Ok(pixels),
        PixelFormat::L8 => Ok(pixels.iter().flat_map(|&grey| [grey; 3]).collect()),
        PixelFormat::CMYK32 => Ok(cmyk_to_rgb(pixels)),
        PixelFormat::L16 => Err(PhotoError::UnsupportedFormat {
            name: "JPEG with 16 bits",
        }),
    }
}

/// Mixes the four inks (255 = full) without a colour profile, in place: good enough to recognise a scene.
fn cmyk_to_rgb(mut pixels: Vec<u8>) -> Vec<u8> {
    let count = pixels.len() / 4;
    for at in 0..count {
        let black = pixels[at * 4 + 3];
        for channel in 0..3 {
            pixels[at * 3 + channel] = lit(pixels[at * 4 + channel], black);
        }
    }
    pixels.truncate(count * 3);
    pixels
}

/// Returns the light that an ink and the black over it let through.
fn lit(ink: u8, black: u8) -> u8 {
    let light = u16::from(255 - ink) * u16::from(255 - black);
    u8::try_from(light / 255).unwrap_or(u8::MAX)
}

fn refuse(error: Error) -> PhotoError {
    use jpeg_decoder::UnsupportedFeature as Feature;
    match error {
        Error::Unsupported(Feature::ArithmeticEntropyCoding) => PhotoError::UnsupportedFormat {
            name: "JPEG with arithmetic coding",
        },
        Error::Unsupported(Feature::SamplePrecision(_)) => PhotoError::UnsupportedFormat {
            name: "JPEG with more than 8 bits",
        },
        Error::Unsupported(Feature::Hierarchical) => PhotoError::UnsupportedFormat {
            name: "hierarchical JPEG",
        },
        other => PhotoError::Damaged(other.into()),
    }
}
