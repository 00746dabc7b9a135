//! A small PNG, built by hand: an electrocardiogram strip in black and white.

pub(super) const WIDTH: usize = 320;
pub(super) const HEIGHT: usize = 96;

/// One heart beat: horizontal place in 1/64 of the beat, height over the base line.
const BEAT: [(usize, i32); 11] = [
    (0, 0),
    (8, 0),
    (11, 6),
    (14, 0),
    (20, 0),
    (22, -5),
    (24, 52),
    (26, -14),
    (28, 0),
    (40, 12),
    (48, 0),
];

/// A strip whose beats are `beat` pixels long.
pub(super) fn rhythm_strip(beat: usize) -> Vec<u8> {
    let beat = beat.clamp(30, 120);
    let mut pixels = vec![vec![true; WIDTH]; HEIGHT];
    for (row, line) in pixels.iter_mut().enumerate() {
        for (column, pixel) in line.iter_mut().enumerate() {
            if row % 16 == 0 && column % 2 == 0 || column % 16 == 0 && row % 2 == 0 {
                *pixel = false;
            }
        }
    }
    let mut before = level(0, beat);
    for column in 0..WIDTH {
        let now = level(column, beat);
        for line in &mut pixels[before.min(now)..=before.max(now)] {
            line[column] = false;
        }
        before = now;
    }
    encode(&pixels)
}

/// The row of the curve at `column`.
fn level(column: usize, beat: usize) -> usize {
    let phase = (column % beat) * 64 / beat;
    let mut height = 0;
    for pair in BEAT.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        if (from.0..to.0).contains(&phase) {
            let (span, step) = (to.0 - from.0, phase - from.0);
            height = from.1
                + (to.1 - from.1) * i32::try_from(step).unwrap_or(0)
                    / i32::try_from(span).unwrap_or(1);
        }
    }
    usize::try_from(66 - height).unwrap_or(0).min(HEIGHT - 1)
}

fn encode(pixels: &[Vec<bool>]) -> Vec<u8> {
    let mut raw = Vec::new();
    for line in pixels {
        raw.push(0);
        raw.extend(line.chunks(8).map(|eight| {
            eight
                .iter()
                .fold(0_u8, |byte, white| byte << 1 | u8::from(*white))
        }));
    }
    let mut header = Vec::new();
    header.extend(be32(WIDTH));
    header.extend(be32(HEIGHT));
    header.extend([1, 0, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", &header);
    chunk(&mut out, b"IDAT", &stored(&raw));
    chunk(&mut out, b"IEND", &[]);
    out
}

fn be32(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(0).to_be_bytes()
}

/// A zlib stream that holds `raw` uncompressed (one stored block: `raw` is shorter than 64 KiB).
fn stored(raw: &[u8]) -> Vec<u8> {
    let length = u16::try_from(raw.len()).unwrap_or(u16::MAX);
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(raw);
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in raw {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    out.extend((b << 16 | a).to_be_bytes());
    out
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend(be32(data.len()));
    let start = out.len();
    out.extend(kind);
    out.extend(data);
    let sum = crc(&out[start..]);
    out.extend(sum.to_be_bytes());
}

fn crc(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}
