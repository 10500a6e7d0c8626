//! What a photo's EXIF block says: which way is up, when, and where.
//!
//! The block is untrusted and often broken. Whatever can't be read is simply not known; nothing here
//! fails. Arithmetic is in integers, so that no position ever becomes a NaN.

use std::fmt;

use chrono::{NaiveDate, NaiveDateTime};
use exif::{DateTime, Exif, In, Rational, Reader, Tag, Value};

/// When a photo was taken, by the camera's own clock.
///
/// Without an offset it is local time of an unstated zone. Nothing here says that the clock was right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The date and time of day that the camera showed.
    pub local: NaiveDateTime,
    /// Minutes east of Greenwich, if the camera wrote them.
    pub offset_minutes: Option<i16>,
}

/// Writes ISO 8601: `2021-07-28T09:30:00+08:00`, without the last part if the offset is unknown.
impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local.format("%Y-%m-%dT%H:%M:%S"))?;
        if let Some(minutes) = self.offset_minutes {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Taken(redacted)")
    }
}

/// Where a photo was taken: WGS-84, in units of 1e-7 degrees, north and east positive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Latitude.
    pub lat_e7: i32,
    /// Longitude.
    pub lon_e7: i32,
    /// Where the camera looked: whole degrees clockwise from north, 0 to 359; true or magnetic north, as
    /// the phone has it.
    pub heading_deg: Option<u16>,
    /// How far off the position may be, in metres, as the phone judged it.
    pub accuracy_m: Option<u32>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(redacted)")
    }
}

/// How the stored pixels lie, as EXIF numbers it from 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(u8);

impl Orientation {
    pub(super) const UPRIGHT: Self = Self(1);

    fn new(number: u32) -> Self {
        match u8::try_from(number) {
            Ok(number @ 1..=8) => Self(number),
            _ => Self::UPRIGHT,
        }
    }

    /// Tells whether stored rows are columns of the upright picture.
    pub(super) fn swaps_axes(self) -> bool {
        self.0 >= 5
    }

    /// Returns the stored (column, row) of a pixel of the upright picture of `width` × `height`.
    pub(super) fn source(self, x: u32, y: u32, width: u32, height: u32) -> (u32, u32) {
        let (from_right, from_bottom) = (width - 1 - x, height - 1 - y);
        match self.0 {
            2 => (from_right, y),
            3 => (from_right, from_bottom),
            4 => (x, from_bottom),
            5 => (y, x),
            6 => (y, from_right),
            7 => (from_bottom, from_right),
            8 => (from_bottom, x),
            _ => (x, y),
        }
    }
}

/// All that we take from an EXIF block.
pub(super) struct Facts {
    pub(super) orientation: Orientation,
    pub(super) taken: Option<Taken>,
    pub(super) place: Option<Place>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            orientation: Orientation::UPRIGHT,
            taken: None,
            place: None,
        }
    }
}

impl Facts {
    /// Reads a block that begins with its TIFF header.
    pub(super) fn read(block: Vec<u8>) -> Self {
        let read = Reader::new()
            .continue_on_error(true)
            .read_raw(block)
            .or_else(|error| error.distill_partial_result(|_| ()));
        let Ok(exif) = read else {
            return Self::default();
        };
        Self {
            orientation: orientation(&exif),
            taken: taken(&exif),
            place: place(&exif),
        }
    }
}

fn orientation(exif: &Exif) -> Orientation {
    value(exif, Tag::Orientation)
        .and_then(|value| value.get_uint(0))
        .map_or(Orientation::UPRIGHT, Orientation::new)
}

/// Prefers the shutter's time; a file without it may still carry the time of its last change.
fn taken(exif: &Exif) -> Option<Taken> {
    time(exif, Tag::DateTimeOriginal, Tag::OffsetTimeOriginal)
        .or_else(|| time(exif, Tag::DateTime, Tag::OffsetTime))
}

fn time(exif: &Exif, clock: Tag, offset: Tag) -> Option<Taken> {
    let mut time = DateTime::from_ascii(text(exif, clock)?).ok()?;
    let local = NaiveDate::from_ymd_opt(time.year.into(), time.month.into(), time.day.into())?
        .and_hms_opt(time.hour.into(), time.minute.into(), time.second.into())?;
    if let Some(offset) = text(exif, offset) {
        // An unreadable offset leaves the time without one.
        let _ = time.parse_offset(offset);
    }
    Some(Taken {
        local,
        offset_minutes: time.offset.filter(|minutes| minutes.abs() <= 14 * 60),
    })
}

fn place(exif: &Exif) -> Option<Place> {
    if !is_wgs84(exif) {
        return None;
    }
    let lat_e7 = angle_e7(
        exif,
        Tag::GPSLatitude,
        Tag::GPSLatitudeRef,
        [b'N', b'S'],
        90,
    )?;
    let lon_e7 = angle_e7(
        exif,
        Tag::GPSLongitude,
        Tag::GPSLongitudeRef,
        [b'E', b'W'],
        180,
    )?;
    // Phones without a fix write zeros; nobody works in the Gulf of Guinea.
    if (lat_e7, lon_e7) == (0, 0) {
        return None;
    }
    Some(Place {
        lat_e7,
        lon_e7,
        heading_deg: heading_deg(exif),
        accuracy_m: accuracy_m(exif),
    })
}

/// Tells whether the datum is ours; phones mostly leave it out and mean WGS-84.
fn is_wgs84(exif: &Exif) -> bool {
    let stated: String = text(exif, Tag::GPSMapDatum)
        .unwrap_or_default()
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(|byte| char::from(byte.to_ascii_uppercase()))
        .collect();
    stated.is_empty() || stated.starts_with("WGS84")
}

/// Reads degrees, minutes and seconds; `signs` are the letters for plus and minus.
fn angle_e7(exif: &Exif, tag: Tag, letter: Tag, signs: [u8; 2], limit: u32) -> Option<i32> {
    let Value::Rational(parts) = value(exif, tag)? else {
        return None;
    };
    let &[degrees, minutes, seconds] = parts.first_chunk()?;
    let e10 = scaled(degrees, 10_u128.pow(10), 1)?
        + scaled(minutes, 10_u128.pow(10), 60)?
        + scaled(seconds, 10_u128.pow(10), 3600)?;
    let size = i32::try_from((e10 + 500) / 1000)
        .ok()
        .filter(|&size| i64::from(size) <= i64::from(limit) * 10_000_000)?;
    match text(exif, letter)?.first()? {
        sign if *sign == signs[0] => Some(size),
        sign if *sign == signs[1] => Some(-size),
        _ => None,
    }
}

fn heading_deg(exif: &Exif) -> Option<u16> {
    let degrees = rounded(exif, Tag::GPSImgDirection)?;
    u16::try_from(degrees % 360).ok().filter(|_| degrees <= 360)
}

fn accuracy_m(exif: &Exif) -> Option<u32> {
    u32::try_from(rounded(exif, Tag::GPSHPositioningError)?).ok()
}

fn rounded(exif: &Exif, tag: Tag) -> Option<u128> {
    let Value::Rational(parts) = value(exif, tag)? else {
        return None;
    };
    Some((scaled(*parts.first()?, 10, 1)? + 5) / 10)
}

/// Returns `number * times / by`; a zero denominator means that the camera did not know.
fn scaled(number: Rational, times: u128, by: u128) -> Option<u128> {
    (u128::from(number.num) * times).checked_div(u128::from(number.denom) * by)
}

fn text(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match value(exif, tag)? {
        Value::Ascii(lines) => lines.first().map(Vec::as_slice),
        _ => None,
    }
}

fn value(exif: &Exif, tag: Tag) -> Option<&Value> {
    exif.get_field(tag, In::PRIMARY).map(|field| &field.value)
}
