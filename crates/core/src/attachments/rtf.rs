//! The text of Rich Text Format (Microsoft's specification, version 1.9.1). The one crate for it panics on
//! bytes that are no characters and knows no code pages, so the words that matter are read here: text,
//! paragraphs, cells, characters by number; formatting, pictures, fields' instructions and lists of fonts
//! are passed over. One pass without recursion: no file takes longer than its length.

use encoding_rs::{Encoding, WINDOWS_1252};

/// Groups whose content is not for reading.
const UNSEEN: &[&[u8]] = &[
    b"fonttbl",
    b"colortbl",
    b"stylesheet",
    b"info",
    b"pict",
    b"nonshppict",
    b"object",
    b"objdata",
    b"fldinst",
    b"listtable",
    b"listoverridetable",
    b"revtbl",
    b"rsidtbl",
    b"themedata",
    b"datastore",
    b"latentstyles",
    b"xmlnstbl",
    b"filetbl",
];

/// Groups within groups; deeper ones share the state of this one.
const DEPTH: usize = 2_000;

#[derive(Clone, Copy)]
struct Group {
    unseen: bool,
    /// Characters that stand for a `\u` where it is not understood.
    stand_ins: usize,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    out: String,
    /// Bytes in the code page, until something else comes.
    waiting: Vec<u8>,
    /// The first half of a character of two units.
    high: Option<u16>,
    encoding: &'static Encoding,
    group: Group,
    outer: Vec<Group>,
    too_deep: usize,
    /// Stand-ins still to be passed over.
    skip: usize,
}

/// The text, at most about `limit` bytes of it.
pub(super) fn text_of(bytes: &[u8], limit: usize) -> String {
    let mut reader = Reader {
        bytes,
        at: 0,
        out: String::new(),
        waiting: Vec::new(),
        high: None,
        encoding: WINDOWS_1252,
        group: Group {
            unseen: false,
            stand_ins: 1,
        },
        outer: Vec::new(),
        too_deep: 0,
        skip: 0,
    };
    while reader.at < bytes.len() && reader.out.len() + reader.waiting.len() < limit {
        reader.step();
    }
    reader.flush();
    super::text::tidy_lines(&reader.out)
}

impl Reader<'_> {
    fn step(&mut self) {
        let byte = self.bytes[self.at];
        self.at += 1;
        match byte {
            b'{' => self.begin(),
            b'}' => self.end(),
            b'\\' => self.control(),
            b'\r' | b'\n' => {}
            byte => self.byte(byte),
        }
    }

    fn begin(&mut self) {
        self.flush();
        self.skip = 0;
        if self.outer.len() < DEPTH {
            self.outer.push(self.group);
        } else {
            self.too_deep += 1;
        }
    }

    fn end(&mut self) {
        self.flush();
        self.skip = 0;
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if let Some(outer) = self.outer.pop() {
            self.group = outer;
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if !self.group.unseen {
            self.waiting.push(byte);
        }
    }

    fn control(&mut self) {
        match self.bytes.get(self.at) {
            Some(letter) if letter.is_ascii_alphabetic() => self.word(),
            Some(b'\'') => {
                self.at += 1;
                let digits = self.bytes.get(self.at..self.at + 2);
                let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
                if let Some(byte) = digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                    self.at += 2;
                    self.byte(byte);
                }
            }
            Some(b'*') => {
                self.at += 1;
                self.group.unseen = true;
            }
            Some(sign) => {
                let sign = *sign;
                self.at += 1;
                match sign {
                    b'~' => self.push(' '),
                    b'_' => self.push('-'),
                    b'\r' | b'\n' => self.push('\n'),
                    b'{' | b'}' | b'\\' => self.byte(sign),
                    _ => {}
                }
            }
            None => {}
        }
    }

    fn word(&mut self) {
        let from = self.at;
        self.pass(|byte| byte.is_ascii_alphabetic());
        let name = &self.bytes[from..self.at];
        let from = self.at;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        self.pass(|byte| byte.is_ascii_digit());
        let number = std::str::from_utf8(&self.bytes[from..self.at]);
        let number = number.ok().and_then(|digits| digits.parse::<i32>().ok());
        if self.bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        self.act(name, number);
    }

    fn pass(&mut self, while_it_is: impl Fn(u8) -> bool) {
        while self
            .bytes
            .get(self.at)
            .is_some_and(|byte| while_it_is(*byte))
        {
            self.at += 1;
        }
    }

    fn act(&mut self, name: &[u8], number: Option<i32>) {
        match (name, number) {
            (b"par" | b"line" | b"sect" | b"page" | b"row", _) => self.push('\n'),
            (b"tab" | b"cell" | b"nestcell", _) => self.push('\t'),
            (b"emdash", _) => self.push('—'),
            (b"endash", _) => self.push('–'),
            (b"bullet", _) => self.push('•'),
            (b"lquote" | b"rquote", _) => self.push('’'),
            (b"ldblquote" | b"rdblquote", _) => self.push('"'),
            (b"u", Some(number)) => self.unit(number),
            (b"uc", Some(number)) => {
                self.group.stand_ins = usize::try_from(number).unwrap_or(1).min(8)
            }
            (b"bin", Some(number)) => {
                let length = usize::try_from(number).unwrap_or(0);
                self.at = self.at.saturating_add(length).min(self.bytes.len());
            }
            (b"ansicpg", Some(page)) => {
                self.flush();
                self.encoding = encoding_of(page);
            }
            (b"mac", _) => self.encoding = encoding_rs::MACINTOSH,
            (name, _) if UNSEEN.contains(&name) => self.group.unseen = true,
            _ => {}
        }
    }

    /// One unit of UTF-16, as a number with a sign.
    fn unit(&mut self, number: i32) {
        self.flush_bytes();
        let unit = u16::try_from(number & 0xffff).unwrap_or(0);
        let units: Vec<u16> = self.high.take().into_iter().chain([unit]).collect();
        match char::decode_utf16(units.iter().copied()).next() {
            Some(Ok(letter)) => self.push(letter),
            _ if (0xd800..0xdc00).contains(&unit) => self.high = Some(unit),
            _ => {}
        }
        self.skip = self.group.stand_ins;
    }

    fn push(&mut self, letter: char) {
        self.flush();
        if !self.group.unseen {
            self.out.push(letter);
        }
    }

    fn flush(&mut self) {
        self.flush_bytes();
        self.high = None;
    }

    fn flush_bytes(&mut self) {
        if !self.waiting.is_empty() {
            let (text, _) = self.encoding.decode_without_bom_handling(&self.waiting);
            self.out.push_str(&text);
            self.waiting.clear();
        }
    }
}

/// The code pages of Windows; of anything else the one of western Europe.
fn encoding_of(page: i32) -> &'static Encoding {
    match page {
        65001 => encoding_rs::UTF_8,
        932 => encoding_rs::SHIFT_JIS,
        936 => encoding_rs::GBK,
        949 => encoding_rs::EUC_KR,
        950 => encoding_rs::BIG5,
        page => Encoding::for_label(format!("windows-{page}").as_bytes()).unwrap_or(WINDOWS_1252),
    }
}

#[cfg(test)]
mod tests {
    use super::text_of;
    use proptest::prelude::*;

    fn read(rtf: &str) -> String {
        text_of(rtf.as_bytes(), 100_000)
    }

    #[test]
    fn text_paragraphs_and_cells_are_read_and_fonts_and_pictures_are_not() {
        let rtf = r"{\rtf1\ansi\deff0{\fonttbl{\f0 Helvetica;}}{\*\generator Word;}{\info{\author Nobody}}
            \pard\b Follow-up\b0\par Doing \i well\i0 , calm.\par{\pict\pngblip 89504e47}
            \trowd Sodium\cell 140 mmol/L\cell\row}";
        assert_eq!(
            read(rtf),
            "Follow-up\nDoing well, calm.\nSodium\t140 mmol/L"
        );
    }

    #[test]
    fn letters_by_code_page_by_number_and_of_two_units_are_letters() {
        assert_eq!(read(r"{\rtf1\ansi\ansicpg1252 caf\'e9 \{x\}}"), "café {x}");
        assert_eq!(read(r"{\rtf1\ansicpg1251 \'cf\'f0\'e8}"), "При");
        assert_eq!(
            read(r"{\rtf1\uc1 na\u239?ve \u-10179?\u-8704?}"),
            "naïve 😀"
        );
        assert_eq!(read(r"{\rtf1\uc0 \u233 t\u233 }"), "été");
    }

    #[test]
    fn what_is_deep_cut_or_full_of_bytes_is_read_as_far_as_it_goes() {
        assert_eq!(read(&"{".repeat(100_000)), "");
        assert_eq!(read(r"{\rtf1 before\bin999999 x"), "before");
        assert_eq!(read(r"{\rtf1 cut\'"), "cut");
        assert_eq!(read(r"{\rtf1 }}}} after"), "after");
    }

    proptest! {
        #[test]
        fn any_bytes_give_text_of_bounded_length(bytes in any::<Vec<u8>>()) {
            prop_assert!(text_of(&bytes, 50).len() <= 50 * 3 + 8);
        }

        #[test]
        fn any_control_words_do(rtf in r"(\\(par|u-?[0-9]{1,6}|uc[0-9]|bin[0-9]{1,3}|'[0-9a-g]{0,2}|\*|ansicpg[0-9]{1,6})[ ?]?|[{}é]|[a-z ]){0,80}") {
            text_of(rtf.as_bytes(), 10_000);
        }
    }
}
