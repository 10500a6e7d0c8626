//! What a camera gives, or what somebody says a camera gave: pictures and the facts in them.

use pocketbook_fuzz::{folder, vary};
use pocketbook_photos::{PhotoError, Prepared, Size, THUMBNAIL_MAX_BYTES, prepare, thumbnail};

/// Fails unless a picture is one that a record may carry: JPEG, without what a camera adds to it.
fn is_bare(jpeg: &[u8]) {
    assert_eq!(jpeg.get(..2), Some(&[0xff, 0xd8][..]));
    assert_eq!(jpeg.get(jpeg.len() - 2..), Some(&[0xff, 0xd9][..]));
    let mut at = 2;
    while let Some([0xff, marker, high, low]) = jpeg.get(at..at + 4) {
        assert!(
            !matches!(marker, 0xe1..=0xef | 0xfe),
            "metadata of sort {marker:x}"
        );
        if *marker == 0xda {
            return;
        }
        at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
    }
    panic!("no pixels in it");
}

fn facts_hold(photo: &Prepared) {
    if let Some(place) = &photo.place {
        assert!(place.lat_e7.abs() <= 900_000_000, "{place:?}");
        assert!(place.lon_e7.abs() <= 1_800_000_000, "{place:?}");
        assert!(place.heading_deg.is_none_or(|degrees| degrees <= 360));
    }
    if let Some(minutes) = photo.taken.as_ref().and_then(|taken| taken.offset_minutes) {
        assert!(minutes.abs() <= 24 * 60, "{minutes}");
    }
}

fn take(bytes: &[u8]) {
    let taken = prepare(bytes, Size::Master);
    match &taken {
        Ok(photo) => {
            assert!(photo.width.max(photo.height) <= 1600);
            assert!(photo.width.min(photo.height) >= 1);
            assert!(photo.thumbnail.len() <= THUMBNAIL_MAX_BYTES);
            is_bare(&photo.master);
            is_bare(&photo.thumbnail);
            facts_hold(photo);
            let again = prepare(bytes, Size::Master).expect("the same file again");
            assert!(again == *photo, "one file, one photo");
            let own = thumbnail(&photo.master).expect("our own picture is read");
            assert!(own.len() <= THUMBNAIL_MAX_BYTES);
        }
        Err(PhotoError::Scale(_) | PhotoError::Encode(_)) => {
            panic!("a picture that was decoded can be scaled and written: {taken:?}");
        }
        Err(_) => {}
    }
    if let Ok(small) = thumbnail(bytes) {
        assert!(taken.is_ok(), "what has a thumbnail is a photo");
        is_bare(&small);
    }
}

#[test]
fn jpeg() {
    bolero::check!(name = folder("jpeg"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| take(bytes));
    vary("jpeg", 25, take);
}

#[test]
fn png() {
    bolero::check!(name = folder("png"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| take(bytes));
    vary("png", 60, take);
}
