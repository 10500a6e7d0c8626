//! PNG decoding, row by row, averaged down on the way.
//!
//! Screenshots and scanned papers come as PNG. A row is reduced as soon as it is decoded, so that a large
//! scan needs the memory of its result; only interlaced files, which tell their rows out of order, are
//! held whole.

use std::io::Cursor;

use png::{ColorType, Decoder, DecodingError, Reader, Transformations};

use super::{
    DecodeError, Decoded, MAX_PIXELS, MAX_PIXELS_HELD_WHOLE, PhotoError, check_pixels,
    picture::Picture,
};

/// Decodes a PNG file to at least `edge` pixels on its longest edge, if it has them.
pub(super) fn decode(file: &[u8], edge: u32) -> Result<Decoded, PhotoError> {
    let mut decoder = Decoder::new(Cursor::new(file));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(refuse)?;
    let (width, height, interlaced) = (header.width, header.height, header.interlaced);
    let limit = if interlaced {
        MAX_PIXELS_HELD_WHOLE
    } else {
        MAX_PIXELS
    };
    check_pixels(width, height, limit)?;

    let mut reader = decoder.read_info().map_err(refuse)?;
    let mut reduced = Reduced::new(width, height, edge);
    if interlaced {
        read_whole(&mut reader, &mut reduced)?;
    } else {
        read_rows(&mut reader, &mut reduced)?;
    }
    Ok(Decoded {
        picture: reduced.finish()?,
        stored: (width, height),
        exif: reader
            .info()
            .exif_metadata
            .as_ref()
            .map(|exif| exif.to_vec()),
    })
}

fn read_rows(reader: &mut Reader<Cursor<&[u8]>>, into: &mut Reduced) -> Result<(), PhotoError> {
    let colour = reader.output_color_type().0;
    while let Some(row) = reader.next_row().map_err(refuse)? {
        into.add_row(pixels(row.data(), colour));
    }
    Ok(())
}

fn read_whole(reader: &mut Reader<Cursor<&[u8]>>, into: &mut Reduced) -> Result<(), PhotoError> {
    let size = reader
        .output_buffer_size()
        .ok_or(DecodingError::LimitsExceeded)
        .map_err(refuse)?;
    let mut whole = vec![0; size];
    let frame = reader.next_frame(&mut whole).map_err(refuse)?;
    for row in whole.chunks_exact(frame.line_size) {
        into.add_row(pixels(row, frame.color_type));
    }
    Ok(())
}

/// Returns the pixels of a row as RGB, laid on white where they are transparent.
fn pixels(row: &[u8], colour: ColorType) -> impl Iterator<Item = [u8; 3]> {
    row.chunks_exact(colour.samples())
        .map(move |pixel| match *pixel {
            [grey] => [grey; 3],
            [grey, alpha] => [on_white(grey, alpha); 3],
            [red, green, blue] => [red, green, blue],
            [red, green, blue, alpha] => [red, green, blue].map(|light| on_white(light, alpha)),
            _ => [255; 3],
        })
}

fn on_white(light: u8, alpha: u8) -> u8 {
    let mixed = u16::from(light) * u16::from(alpha) + 255 * u16::from(255 - alpha);
    u8::try_from(mixed / 255).unwrap_or(u8::MAX)
}

fn refuse(error: DecodingError) -> PhotoError {
    PhotoError::Damaged(error.into())
}

/// A picture that grows from rows, each square of `factor` × `factor` pixels becoming one.
struct Reduced {
    width: u32,
    factor: u32,
    /// Light summed per channel over the rows of the squares being filled.
    sums: Vec<u32>,
    rows_summed: u32,
    rgb: Vec<u8>,
    rows_done: u32,
}

impl Reduced {
    fn new(width: u32, height: u32, edge: u32) -> Self {
        let factor = (width.max(height) / edge).max(1);
        let columns = width.div_ceil(factor) as usize;
        Self {
            width,
            factor,
            sums: vec![0; columns * 3],
            rows_summed: 0,
            rgb: Vec::with_capacity(columns * 3 * height.div_ceil(factor) as usize),
            rows_done: 0,
        }
    }

    fn add_row(&mut self, pixels: impl Iterator<Item = [u8; 3]>) {
        let factor = self.factor as usize;
        for (column, pixel) in pixels.enumerate() {
            let square = &mut self.sums[column / factor * 3..][..3];
            for (sum, light) in square.iter_mut().zip(pixel) {
                *sum += u32::from(light);
            }
        }
        self.rows_summed += 1;
        if self.rows_summed == self.factor {
            self.close_squares();
        }
    }

    fn close_squares(&mut self) {
        let mut columns_left = self.width;
        for square in self.sums.chunks_exact_mut(3) {
            let columns = self.factor.min(columns_left);
            columns_left -= columns;
            for sum in square {
                let mean = *sum / (columns * self.rows_summed);
                self.rgb.push(u8::try_from(mean).unwrap_or(u8::MAX));
                *sum = 0;
            }
        }
        self.rows_summed = 0;
        self.rows_done += 1;
    }

    fn finish(mut self) -> Result<Picture, PhotoError> {
        if self.rows_summed > 0 {
            self.close_squares();
        }
        let columns = self.width.div_ceil(self.factor);
        Picture::new(columns, self.rows_done, self.rgb)
            .map_err(|_| PhotoError::Damaged(DecodeError::Short))
    }
}
