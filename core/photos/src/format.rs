//! What a file is, told by its first bytes; its name and its sender's word don't count.

use super::PhotoError;

/// A format we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
}

/// First bytes of the formats that we know and refuse.
const REFUSED: &[(&[u8], &str)] = &[
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF or a raw photo"),
    (b"MM\0*", "TIFF or a raw photo"),
    (b"\xFF\x0A", "JPEG XL"),
    (b"\0\0\0\x0CJXL ", "JPEG XL"),
    (b"\0\0\0\x0CjP  ", "JPEG 2000"),
    (b"\0\0\x01\0", "an icon"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "PDF"),
];

/// Brands of the ISO base media files that hold a still picture.
const HEIC_BRANDS: &[&[u8]] = &[
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
];

/// Returns the format of a file, or the reason for not reading it.
pub(super) fn recognise(file: &[u8]) -> Result<Format, PhotoError> {
    if file.is_empty() {
        return Err(PhotoError::Empty);
    }
    if file.starts_with(b"\xFF\xD8") {
        return Ok(Format::Jpeg);
    }
    if file.starts_with(b"\x89PNG\r\n\x1A\n") {
        return Ok(Format::Png);
    }
    Err(match refused_name(file) {
        Some(name) => PhotoError::UnsupportedFormat { name },
        None => PhotoError::NotAPicture,
    })
}

fn refused_name(file: &[u8]) -> Option<&'static str> {
    if file.get(4..8) == Some(b"ftyp") {
        return Some(match file.get(8..12) {
            Some(brand) if HEIC_BRANDS.contains(&brand) => "HEIC",
            Some(b"avif" | b"avis") => "AVIF",
            _ => "a film",
        });
    }
    if file.starts_with(b"RIFF") && file.get(8..12) == Some(b"WEBP") {
        return Some("WebP");
    }
    REFUSED
        .iter()
        .find(|(magic, _)| file.starts_with(magic))
        .map(|(_, name)| *name)
}
