//! A PDF font's table from codes to letters (ISO 32000-1, 9.10.3; Adobe Technical Note 5411). Ranges stay
//! ranges: one that claims four thousand million codes takes no more room than another.

/// Entries beyond this many are left out; the largest fonts have 65,536 letters.
const ENTRIES: usize = 100_000;
/// Letters of one code: a ligature has up to four.
const LETTERS: usize = 8;

/// Codes of one length that follow each other.
struct Range {
    length: u8,
    first: u32,
    last: u32,
    letters: Letters,
}

enum Letters {
    /// The letter of the first code; the others follow it.
    From(u32),
    /// The same letters for each, as in a ligature.
    Text(String),
}

/// The table of one font.
pub(super) struct ToUnicode {
    ranges: Vec<Range>,
    longest: u8,
}

impl ToUnicode {
    /// Reads what can be read.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut map = Self {
            ranges: Vec::new(),
            longest: 1,
        };
        let mut tokens = Tokens { bytes, at: 0 };
        while let Some(token) = tokens.next() {
            match token {
                Token::Word(b"beginbfchar") => map.chars(&mut tokens),
                Token::Word(b"beginbfrange") => map.ranges(&mut tokens),
                _ => {}
            }
            if map.ranges.len() >= ENTRIES {
                break;
            }
        }
        map.ranges.sort_by_key(|range| (range.length, range.first));
        map
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    fn chars(&mut self, tokens: &mut Tokens<'_>) {
        while let (Some(Token::Hex(code)), Some(Token::Hex(text))) = (tokens.next(), tokens.next())
        {
            self.add(&code, &code, Letters::Text(utf16(&text)));
            if self.ranges.len() >= ENTRIES {
                return;
            }
        }
    }

    fn ranges(&mut self, tokens: &mut Tokens<'_>) {
        while let (Some(Token::Hex(first)), Some(Token::Hex(last))) = (tokens.next(), tokens.next())
        {
            match tokens.next() {
                Some(Token::Hex(text)) => self.add(&first, &last, letters_from(&text)),
                Some(Token::ArrayBegin) => {
                    let (mut code, end) = (number(&first), number(&last));
                    while let Some(Token::Hex(text)) = tokens.next() {
                        if code <= end {
                            let bytes = code.to_be_bytes();
                            let code_bytes = &bytes[4 - first.len().min(4)..];
                            self.add(code_bytes, code_bytes, Letters::Text(utf16(&text)));
                        }
                        code = code.saturating_add(1);
                    }
                }
                _ => return,
            }
            if self.ranges.len() >= ENTRIES {
                return;
            }
        }
    }

    fn add(&mut self, first: &[u8], last: &[u8], letters: Letters) {
        let Ok(length @ 1..=4) = u8::try_from(first.len()) else {
            return;
        };
        if self.ranges.len() < ENTRIES {
            self.longest = self.longest.max(length);
            self.ranges.push(Range {
                length,
                first: number(first),
                last: number(last),
                letters,
            });
        }
    }

    /// Writes the letters of these codes.
    pub(super) fn write(&self, bytes: &[u8], out: &mut String) {
        let mut at = 0;
        while at < bytes.len() {
            let left = bytes.len() - at;
            let lengths = 1..=usize::from(self.longest).min(left);
            let found = lengths.into_iter().find_map(|length| {
                let code = number(&bytes[at..at + length]);
                Some((length, code, self.find(length, code)?))
            });
            match found {
                Some((length, code, range)) => {
                    at += length;
                    match &range.letters {
                        Letters::Text(text) => out.push_str(text),
                        Letters::From(letter) => {
                            let letter = letter.saturating_add(code - range.first);
                            out.extend(char::from_u32(letter).filter(|one| !one.is_control()));
                        }
                    }
                }
                None => at += usize::from(self.longest).min(left),
            }
        }
    }

    fn find(&self, length: usize, code: u32) -> Option<&Range> {
        let after = self
            .ranges
            .partition_point(|range| (usize::from(range.length), range.first) <= (length, code));
        let range = self.ranges.get(after.checked_sub(1)?)?;
        (usize::from(range.length) == length && code <= range.last).then_some(range)
    }
}

fn letters_from(text: &[u8]) -> Letters {
    let text = utf16(text);
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(one), None) => Letters::From(u32::from(one)),
        _ => Letters::Text(text),
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number: u32, byte| number << 8 | u32::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    if let [one] = bytes {
        return char::from(*one).to_string();
    }
    let units = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|letter| letter.unwrap_or('\u{fffd}'))
        .filter(|letter| !letter.is_control())
        .take(LETTERS)
        .collect()
}

enum Token<'a> {
    Hex(Vec<u8>),
    ArrayBegin,
    ArrayEnd,
    Word(&'a [u8]),
}

struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            match byte {
                b'[' => return Some(Token::ArrayBegin),
                b']' => return Some(Token::ArrayEnd),
                b'<' if self.bytes.get(self.at) == Some(&b'<') => self.at += 1,
                b'<' => return Some(Token::Hex(self.hex())),
                b'%' => self.skip(|byte| byte != b'\n' && byte != b'\r'),
                byte if is_word(byte) => {
                    let from = self.at - 1;
                    self.skip(is_word);
                    return Some(Token::Word(&self.bytes[from..self.at]));
                }
                _ => {}
            }
        }
    }

    fn skip(&mut self, while_it_is: impl Fn(u8) -> bool) {
        while self
            .bytes
            .get(self.at)
            .is_some_and(|byte| while_it_is(*byte))
        {
            self.at += 1;
        }
    }

    fn hex(&mut self) -> Vec<u8> {
        let from = self.at;
        self.skip(|byte| byte != b'>');
        let digits = self.bytes[from..self.at].iter();
        let digits: Vec<u8> = digits
            .filter_map(|byte| char::from(*byte).to_digit(16))
            .filter_map(|digit| u8::try_from(digit).ok())
            .collect();
        self.at += 1;
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0))
            .collect()
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'*' | b'_')
}

#[cfg(test)]
mod tests {
    use super::ToUnicode;
    use proptest::prelude::*;

    const MAP: &[u8] = b"/CIDInit /ProcSet findresource begin 1 begincodespacerange <0000> <FFFF> endcodespacerange
        2 beginbfchar <0003> <0020> <0041> <00660069> endbfchar
        2 beginbfrange <0044> <005d> <0061> <0060> <0062> [<00e4> <00f6> <00fc>] endbfrange endcmap";

    fn read(map: &[u8], codes: &[u8]) -> String {
        let mut out = String::new();
        ToUnicode::parse(map).write(codes, &mut out);
        out
    }

    #[test]
    fn codes_become_letters_ligatures_and_the_letters_after_the_first() {
        let codes = [
            0, 0x44, 0, 0x45, 0, 3, 0, 0x41, 0, 0x61, 0x12, 0x34, 0, 0x5d,
        ];
        assert_eq!(read(MAP, &codes), "ab fiöz");
    }

    #[test]
    fn a_range_of_all_codes_takes_no_room_and_no_time() {
        let all = b"1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange";
        assert_eq!(read(all, &[0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff]), "C");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(map in any::<Vec<u8>>(), codes in any::<Vec<u8>>()) {
            read(&map, &codes);
        }

        #[test]
        fn any_table_is_read_to_its_end(
            map in "(beginbf(char|range) |<[0-9a-f]{0,9}> |\\[ |\\] |end ){0,40}",
            codes in any::<Vec<u8>>(),
        ) {
            let text = read(map.as_bytes(), &codes);
            prop_assert!(text.len() <= codes.len() * 32);
        }
    }
}
