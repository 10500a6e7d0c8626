//! From the camera's file to what a record may carry.
//!
//! A phone camera gives three to ten megabytes with the worker's position in them. A record refers to
//! two small pictures instead: the *master*, good enough to judge a manhole cover or read a form, and
//! the *thumbnail*, small enough to travel beside the record's own page.
//!
//! The life of one photo: its first bytes say what it is ([`PhotoError::UnsupportedFormat`] names what
//! we don't read) → the header says how large it is, before anything is allocated → its EXIF block is
//! read for orientation, time and place → the pixels are decoded at the smallest scale that still
//! serves, scaled to the exact size, turned upright → both pictures are encoded anew.
//!
//! What it promises:
//! - Both outputs are JPEG files without any metadata: they are made from pixels alone.
//! - A photo is never enlarged, the thumbnail never exceeds [`THUMBNAIL_MAX_BYTES`].
//! - A broken EXIF block never costs the worker the photo, it only costs time and place.
//! - Memory follows the *result*, not the camera: a 48 MP photo needs about as much as a 12 MP one.
//!   Files that can only be decoded whole (progressive JPEG, interlaced PNG) have a lower pixel limit.
//! - Everything here is a pure function: no files, no clock, no randomness.
//!
//! What it refuses: formats other than JPEG and PNG. HEIC decoders are either C libraries or not free,
//! and both platforms convert on request. Also turned down: a lossless strip of the camera file, which
//! would keep 12 MP where 2 MP are enough; the `image` crate, four times slower with four times the
//! memory.

mod facts;
mod format;
mod from_jpeg;
mod from_png;
mod picture;

use thiserror::Error;

pub use self::facts::{Place, Taken};
use self::{
    facts::Facts,
    format::Format,
    picture::{Picture, THUMBNAIL_EDGES},
};

/// The most bytes a thumbnail has.
pub const THUMBNAIL_MAX_BYTES: usize = 8 * 1024;

/// The most pixels of a photo that can be decoded piece by piece.
const MAX_PIXELS: u64 = 128_000_000;

/// The most pixels of a photo that has to be held whole while it is decoded.
const MAX_PIXELS_HELD_WHOLE: u64 = 24_000_000;

/// The most passes in which a JPEG file may tell its pixels; cameras take ten.
const MAX_SCANS: usize = 64;

/// How large a master becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A scene: at most 1600 pixels on the longest edge.
    Master,
    /// Papers (材料) whose small print must stay readable: at most 2200 pixels.
    Papers,
}

impl Size {
    /// Returns the longest edge in pixels.
    fn longest_edge(self) -> u32 {
        match self {
            Self::Master => 1600,
            Self::Papers => 2200,
        }
    }
}

/// A photo ready to be sealed and handed in, and the facts its file told.
#[derive(Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The picture as JPEG, upright, without metadata.
    pub master: Vec<u8>,
    /// The same picture as JPEG of at most 256 pixels and [`THUMBNAIL_MAX_BYTES`].
    pub thumbnail: Vec<u8>,
    /// The master's width in pixels.
    pub width: u32,
    /// The master's height in pixels.
    pub height: u32,
    /// When the camera says it was taken.
    pub taken: Option<Taken>,
    /// Where the camera says it was taken.
    pub place: Option<Place>,
}

/// Shows sizes only: pixels, time and place are personal.
impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("master_bytes", &self.master.len())
            .field("thumbnail_bytes", &self.thumbnail.len())
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

/// Why a photo can't be taken in; each text ends with what the worker can do.
#[derive(Debug, Error)]
pub enum PhotoError {
    /// The file has no bytes.
    #[error("read the photo: the file is empty; take the picture again")]
    Empty,
    /// A picture or film of a kind that we don't read.
    #[error("read the photo: {name} is not accepted; choose JPEG or PNG")]
    UnsupportedFormat {
        /// The format's usual name.
        name: &'static str,
    },
    /// A file that is no picture at all, whatever its name says.
    #[error("read the photo: the file is not a picture; choose another file")]
    NotAPicture,
    /// More pixels than a phone can decode.
    #[error(
        "read the photo: {width} x {height} pixels are too many for its kind; \
         take it again with a lower resolution"
    )]
    TooManyPixels {
        /// Width as the file's header states it.
        width: u32,
        /// Height as the file's header states it.
        height: u32,
    },
    /// A file that tells its pixels again and again: made to keep whoever reads it busy.
    #[error("read the photo: it is stored in too many passes; take the picture again")]
    TooManyScans,
    /// A picture that breaks off or contradicts itself.
    #[error("read the photo: the file is damaged or cut off; take the picture again")]
    Damaged(#[source] DecodeError),
    /// The pixels could not be scaled.
    #[error("scale the photo; take the picture again")]
    Scale(#[source] fast_image_resize::ResizeError),
    /// The pixels could not be written as JPEG.
    #[error("encode the photo; take the picture again")]
    Encode(#[from] jpeg_encoder::EncodingError),
}

/// What the decoder met in a damaged file.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// In a JPEG file.
    #[error(transparent)]
    Jpeg(#[from] jpeg_decoder::Error),
    /// In a PNG file.
    #[error(transparent)]
    Png(#[from] png::DecodingError),
    /// The header and the pixels disagree.
    #[error("the picture has fewer pixels than its header says")]
    Short,
}

/// A decoded picture, not yet turned or scaled to its exact size.
struct Decoded {
    picture: Picture,
    /// Width and height as the camera stored them, before any scaling.
    stored: (u32, u32),
    exif: Option<Vec<u8>>,
}

/// Makes master and thumbnail of a camera file and reads its time and place.
///
/// Fails only because of the file itself, so a failure repeats: there is no use in trying again.
pub fn prepare(camera: &[u8], size: Size) -> Result<Prepared, PhotoError> {
    let (upright, facts) = upright(camera, size.longest_edge())?;
    Ok(Prepared {
        master: upright.master()?,
        thumbnail: upright.thumbnail()?,
        width: upright.width(),
        height: upright.height(),
        taken: facts.taken,
        place: facts.place,
    })
}

/// Makes only the thumbnail of a picture: at most 256 pixels and [`THUMBNAIL_MAX_BYTES`], upright.
///
/// Fails only because of the file itself, so a failure repeats.
pub fn thumbnail(picture: &[u8]) -> Result<Vec<u8>, PhotoError> {
    upright(picture, THUMBNAIL_EDGES[0])?.0.thumbnail()
}

/// Decodes a picture at exactly the size that fits and turns it as it was seen.
fn upright(file: &[u8], edge: u32) -> Result<(Picture, Facts), PhotoError> {
    let decoded = match format::recognise(file)? {
        Format::Jpeg => from_jpeg::decode(file, edge)?,
        Format::Png => from_png::decode(file, edge)?,
    };
    let facts = decoded.exif.map(Facts::read).unwrap_or_default();
    let (width, height) = picture::fit(decoded.stored, edge);
    let picture = decoded.picture.scaled(width, height)?;
    Ok((picture.turned(facts.orientation), facts))
}

/// Refuses a picture whose header promises more pixels than `limit`.
fn check_pixels(width: u32, height: u32, limit: u64) -> Result<(), PhotoError> {
    if u64::from(width) * u64::from(height) > limit {
        return Err(PhotoError::TooManyPixels { width, height });
    }
    Ok(())
}
