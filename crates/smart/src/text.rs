//! Text that comes from servers: made harmless before it is kept.

/// Plain text for people: control and direction characters become spaces, at most `limit`
/// characters.
pub(crate) fn plain(text: &str, limit: usize) -> String {
    let harmless = |c: char| {
        let steers = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || steers { ' ' } else { c }
    };
    text.chars()
        .take(limit)
        .map(harmless)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The longest description of an error that is kept.
pub(crate) const DESCRIPTION: usize = 500;

/// Whether `text` has the form of a FHIR logical id (FHIR R4, datatype `id`).
pub(crate) fn is_fhir_id(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed) && !text.bytes().all(|b| b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c36_descriptions_are_plain_and_short() {
        assert_eq!(plain("a\u{202e}b\r\nc\u{0}", 500), "a b  c");
        assert_eq!(plain(&"x".repeat(9000), DESCRIPTION).len(), 500);
    }

    #[test]
    fn d14_ids() {
        assert!(is_fhir_id("a-1.B"));
        for bad in ["", "a/b", "a b", "..", "é", &"x".repeat(65)] {
            assert!(!is_fhir_id(bad), "{bad}");
        }
    }
}
