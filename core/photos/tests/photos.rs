//! What the photo pipeline promises, on photos from real phones and on files made to break it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]
#![expect(
    clippy::disallowed_methods,
    reason = "reads test data and measures that no file hangs"
)]

use std::{
    error::Error,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use pocketbook_photos::{PhotoError, Place, Prepared, Size, THUMBNAIL_MAX_BYTES, prepare};
use proptest::prelude::*;
use serde_json::Value;

fn read(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/photos")
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&read(name)).unwrap()
}

fn master(name: &str) -> Result<Prepared, PhotoError> {
    prepare(&read(name), Size::Master)
}

/// A position as the lists of expected values write it, in degrees; zeros stand for no fix.
fn expected_place(entry: &Value) -> Option<[f64; 2]> {
    let place = [entry["lat"].as_f64()?, entry["lon"].as_f64()?];
    (place != [0.0, 0.0]).then_some(place)
}

/// The lists round to 1e-6 degrees, a tenth of a metre.
fn assert_same_place(name: &str, found: Option<Place>, expected: Option<[f64; 2]>) {
    let found = found.map(|place| [place.lat_e7, place.lon_e7].map(|e7| f64::from(e7) / 1e7));
    let same = match (found, expected) {
        (Some(found), Some(expected)) => (0..2).all(|at| (found[at] - expected[at]).abs() < 6e-7),
        (found, expected) => found == expected,
    };
    assert!(same, "{name}: {found:?} instead of {expected:?}");
}

/// Every segment of a JPEG file up to its first scan, by marker.
fn markers(jpeg: &[u8]) -> Vec<u8> {
    let mut markers = Vec::new();
    let mut at = 2;
    while jpeg[at] == 0xFF && jpeg[at + 1] != 0xDA {
        markers.push(jpeg[at + 1]);
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    markers
}

fn assert_clean(name: &str, photo: &Prepared) {
    for jpeg in [&photo.master, &photo.thumbnail] {
        let carried: Vec<u8> = markers(jpeg)
            .into_iter()
            .filter(|marker| matches!(marker, 0xE1..=0xEF | 0xFE))
            .collect();
        assert_eq!(carried, [0_u8; 0], "{name}: metadata segments");
        assert!(jpeg.ends_with(b"\xFF\xD9"), "{name}: bytes after the end");
    }
}

fn size_of(jpeg: &[u8]) -> (u32, u32) {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    decoder.read_info().unwrap();
    let info = decoder.info().unwrap();
    (info.width.into(), info.height.into())
}

/// The mean colour of each cell of a 12 × 12 grid, three numbers per cell, row by row.
fn mosaic(jpeg: &[u8]) -> Vec<f64> {
    const CELLS: usize = 12;
    let (width, height) = size_of(jpeg);
    let (width, height) = (width as usize, height as usize);
    let rgb = jpeg_decoder::Decoder::new(jpeg).decode().unwrap();
    let mut cells = vec![(0.0, 0_u32); CELLS * CELLS * 3];
    for (at, light) in rgb.iter().enumerate() {
        let (x, y, channel) = (at / 3 % width, at / 3 / width, at % 3);
        let cell = (y * CELLS / height * CELLS + x * CELLS / width) * 3 + channel;
        cells[cell].0 += f64::from(*light);
        cells[cell].1 += 1;
    }
    cells
        .into_iter()
        .map(|(sum, count)| sum / f64::from(count))
        .collect()
}

fn mean_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64
}

#[test]
fn every_malformed_file_gets_its_verdict_quickly() {
    let expected = json("malformed/expected.json");
    for (name, entry) in expected.as_object().unwrap() {
        let file = read(&format!("malformed/{name}"));
        let start = Instant::now();
        let outcome = prepare(&file, Size::Master);
        assert!(start.elapsed() <= Duration::from_secs(1), "{name} is slow");

        let refused = entry["verdict"] == "reject";
        assert!(
            outcome.is_err() == refused || entry["either"] == true,
            "{name}: {outcome:?}"
        );
        let Ok(photo) = outcome else { continue };
        assert_clean(name, &photo);
        if entry.get("lat").is_some() {
            assert_same_place(name, photo.place, expected_place(entry));
        }
        if let Some(taken) = entry.get("taken") {
            let found = photo.taken.map(|taken| taken.to_string());
            assert_eq!(found.as_deref(), taken.as_str(), "{name}");
        }
    }
}

#[test]
fn every_refusal_names_what_it_met() {
    let refusal = |name: &str| master(name).unwrap_err();

    assert!(matches!(refusal("malformed/empty.jpg"), PhotoError::Empty));
    for name in [
        "text.jpg",
        "html.jpg",
        "svg_as.png",
        "exe_as.jpg",
        "one_byte.jpg",
    ] {
        let refusal = refusal(&format!("malformed/{name}"));
        assert!(
            matches!(refusal, PhotoError::NotAPicture),
            "{name}: {refusal}"
        );
    }
    for (name, format) in [
        ("malformed/one_frame.gif", "GIF"),
        ("malformed/scene_small.bmp", "BMP"),
        ("malformed/heic_brand_only.heic", "HEIC"),
        ("real/small_no_exif.heic", "HEIC"),
        ("real/htc_parking_gps.webp", "WebP"),
    ] {
        let refusal = refusal(name);
        assert!(
            matches!(refusal, PhotoError::UnsupportedFormat { name } if name == format),
            "{name}: {refusal}"
        );
    }
    for name in ["bomb_20000x20000.png", "huge_dimensions.jpg"] {
        let refusal = refusal(&format!("malformed/{name}"));
        assert!(
            matches!(refusal, PhotoError::TooManyPixels { .. }),
            "{name}: {refusal}"
        );
    }
    for name in [
        "truncated_half.jpg",
        "truncated.png",
        "only_soi.jpg",
        "bad_crc.png",
    ] {
        let refusal = refusal(&format!("malformed/{name}"));
        assert!(
            matches!(refusal, PhotoError::Damaged(_)),
            "{name}: {refusal}"
        );
        assert!(refusal.source().is_some(), "{name} keeps its cause");
    }
}

#[test]
fn a_photo_cut_off_anywhere_is_refused() {
    let whole = read("real/sony_roadsign_gps_direction.jpg");
    for tenth in 0..10 {
        let cut = &whole[..whole.len() * tenth / 10];
        assert!(prepare(cut, Size::Master).is_err(), "{tenth} tenths");
    }
}

#[test]
fn real_photos_become_small_upright_and_anonymous() {
    let manifest = json("real/manifest.json");
    for entry in manifest["photos"].as_array().unwrap() {
        if entry["format"] != "JPEG" {
            continue;
        }
        let name = entry["file"].as_str().unwrap();
        let photo = master(&format!("real/{name}")).unwrap();

        let stored = [&entry["width"], &entry["height"]].map(|edge| edge.as_u64().unwrap());
        let turned = entry["orientation"]
            .as_u64()
            .is_some_and(|number| number >= 5);
        let longest = u64::from(photo.width.max(photo.height));
        assert_eq!(longest, stored[0].max(stored[1]).min(1600), "{name}");
        assert_eq!(
            photo.width > photo.height,
            (stored[0] > stored[1]) != turned,
            "{name}"
        );
        assert_eq!(
            size_of(&photo.master),
            (photo.width, photo.height),
            "{name}"
        );

        let (width, height) = size_of(&photo.thumbnail);
        assert!(width.max(height) <= 256, "{name}");
        assert!(photo.thumbnail.len() <= THUMBNAIL_MAX_BYTES, "{name}");

        assert_clean(name, &photo);
        assert_same_place(name, photo.place, expected_place(&entry["gps"]));
        let taken = photo
            .taken
            .map(|taken| taken.local.format("%Y:%m:%d %H:%M:%S").to_string());
        assert_eq!(taken.as_deref(), entry["taken"].as_str(), "{name}");
    }
}

#[test]
fn all_eight_orientations_show_the_same_picture() {
    let first = master("real/orientation_landscape_1.jpg").unwrap();
    let seen = mosaic(&first.master);
    let upside_down: Vec<f64> = seen.chunks(3).rev().flatten().copied().collect();
    assert!(
        mean_difference(&seen, &upside_down) > 40.0,
        "the measure can tell"
    );

    for number in 2..=8 {
        let photo = master(&format!("real/orientation_landscape_{number}.jpg")).unwrap();
        assert_eq!(
            (photo.width, photo.height),
            (first.width, first.height),
            "{number}"
        );
        let difference = mean_difference(&seen, &mosaic(&photo.master));
        assert!(difference < 4.0, "{number} differs by {difference:.1}");
    }
}

#[test]
fn every_way_to_store_a_scene_shows_the_same_colours() {
    let seen = mosaic(&master("malformed/ok_scene.jpg").unwrap().master);
    for (name, tolerance) in [
        ("ok_scene.png", 2.0),
        ("ok_progressive.jpg", 2.0),
        ("ok_cmyk.jpg", 4.0),
    ] {
        let photo = master(&format!("malformed/{name}")).unwrap();
        let difference = mean_difference(&seen, &mosaic(&photo.master));
        assert!(difference < tolerance, "{name} differs by {difference:.1}");
    }
}

#[test]
fn the_direction_of_the_camera_is_kept() {
    let photo = master("real/sony_roadsign_gps_direction.jpg").unwrap();

    assert_eq!(photo.place.unwrap().heading_deg, Some(47));
}

#[test]
fn papers_keep_more_pixels_than_scenes() {
    let file = read("real/oppo_13mp_gps.jpg");

    let papers = prepare(&file, Size::Papers).unwrap();

    assert_eq!((papers.width, papers.height), (1650, 2200));
}

/// Draws a PNG of any colour type: a ramp from dark on the left to light on the right.
fn ramp_png(width: u32, height: u32, colour: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    let levels = 1_u32 << (depth as u32).min(8);
    if colour == png::ColorType::Indexed {
        let grey = |level: u32| u8::try_from(level * 255 / (levels - 1)).unwrap();
        encoder.set_palette(
            (0..levels)
                .flat_map(|level| [grey(level); 3])
                .collect::<Vec<u8>>(),
        );
    }
    let row: Vec<u8> = (0..width)
        .map(|x| x * levels / width)
        .flat_map(|level| sample(level, colour, depth))
        .collect();
    let row = pack(&row, depth);
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_image_data(&row.repeat(height as usize))
        .unwrap();
    writer.finish().unwrap();
    file
}

fn sample(level: u32, colour: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let light = vec![
        u8::try_from(level).unwrap();
        if depth == png::BitDepth::Sixteen {
            2
        } else {
            1
        }
    ];
    let full = vec![255; light.len()];
    match colour {
        png::ColorType::Grayscale | png::ColorType::Indexed => light,
        png::ColorType::GrayscaleAlpha => [light, full].concat(),
        png::ColorType::Rgb => light.repeat(3),
        png::ColorType::Rgba => [light.repeat(3), full].concat(),
    }
}

/// Packs one sample per byte into samples of fewer bits, for one row.
fn pack(row: &[u8], depth: png::BitDepth) -> Vec<u8> {
    let bits = depth as usize;
    if bits >= 8 {
        return row.to_vec();
    }
    row.chunks(8 / bits)
        .map(|samples| {
            samples.iter().enumerate().fold(0, |byte, (at, sample)| {
                byte | sample << (8 - bits * (at + 1))
            })
        })
        .collect()
}

#[test]
fn every_colour_type_of_png_is_read() {
    use png::{BitDepth as Depth, ColorType as Colour};
    let small = [Depth::One, Depth::Two, Depth::Four, Depth::Eight];
    let all = small
        .iter()
        .flat_map(|&depth| [(Colour::Grayscale, depth), (Colour::Indexed, depth)])
        .chain(
            [
                Colour::Grayscale,
                Colour::GrayscaleAlpha,
                Colour::Rgb,
                Colour::Rgba,
            ]
            .map(|c| (c, Depth::Sixteen)),
        )
        .chain([Colour::GrayscaleAlpha, Colour::Rgb, Colour::Rgba].map(|c| (c, Depth::Eight)));
    for (colour, depth) in all {
        let photo = prepare(&ramp_png(64, 48, colour, depth), Size::Master).unwrap();

        let cells = mosaic(&photo.master);
        let (left, right) = (cells[0], cells[11 * 3]);
        assert!(
            left < 25.0 && right > 230.0,
            "{colour:?} {depth:?}: {left} to {right}"
        );
    }
}

#[test]
fn a_large_png_is_averaged_down_to_the_edge() {
    let file = ramp_png(5001, 1003, png::ColorType::Rgb, png::BitDepth::Eight);

    let photo = prepare(&file, Size::Master).unwrap();

    assert_eq!((photo.width, photo.height), (1600, 321));
    let cells = mosaic(&photo.master);
    assert!(cells[0] < 20.0 && cells[11 * 3] > 235.0);
}

#[test]
fn an_interlaced_png_is_read_and_turned_upright() {
    let photo = master("interlaced_ori6.png").unwrap();

    assert_eq!((photo.width, photo.height), (36, 48));
    let cells = mosaic(&photo.master);
    let (top, bottom) = (cells[0], cells[11 * 12 * 3]);
    assert!(top < 25.0 && bottom > 230.0, "{top} to {bottom}");
}

#[test]
fn transparent_pixels_become_white() {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 8, 8);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_image_data(&[10, 20, 30, 0].repeat(64))
        .unwrap();
    writer.finish().unwrap();

    let photo = prepare(&file, Size::Master).unwrap();

    let pixels = jpeg_decoder::Decoder::new(&photo.master[..])
        .decode()
        .unwrap();
    assert!(pixels.iter().all(|&light| light >= 253));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn changed_bytes_never_panic(
        name in prop::sample::select(vec![
            "ok_exif_ori6_gps_qindu.jpg", "ok_progressive.jpg", "ok_cmyk.jpg", "ok_grey.jpg", "ok_scene.png",
        ]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut file = read(&format!("malformed/{name}"));
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if cut {
            file.truncate(keep.index(file.len()));
        }
        if let Ok(photo) = prepare(&file, Size::Master) {
            prop_assert!(photo.thumbnail.len() <= THUMBNAIL_MAX_BYTES);
        }
    }

    #[test]
    fn any_bytes_after_a_good_beginning_never_panic(
        keep in 0_usize..700,
        tail in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut file = read("malformed/ok_exif_ori6_gps_qindu.jpg");
        file.truncate(keep);
        file.extend(tail);
        let _ = prepare(&file, Size::Master);
    }
}

#[test]
fn a_file_that_tells_its_pixels_again_and_again_is_refused_at_once() {
    let mut jpeg = master("real/oppo_13mp_gps.jpg").unwrap().master;
    assert!(prepare(&jpeg, Size::Master).is_ok());
    let end = jpeg.len() - 2;
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];
    jpeg.splice(end..end, scan.repeat(100));

    let refused = prepare(&jpeg, Size::Master);

    assert!(matches!(refused, Err(PhotoError::TooManyScans)));
}
