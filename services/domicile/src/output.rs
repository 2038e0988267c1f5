//! What commands print: tables for people, JSON for programs.
//!
//! Whatever the texts of a history hold, none of their characters speaks to the terminal: in tables and words those that would
//! are replaced, in JSON they are escaped, so that it stays the same JSON.

use clap::ValueEnum;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use crate::exit::{Failure, Outcome};

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Ndjson,
}

/// A row of a list.
pub trait Row: Serialize {
    /// The columns' headings.
    const HEADINGS: &'static [&'static str];

    /// The cells, one for each heading.
    fn cells(&self) -> Vec<String>;
}

/// Prints a list.
pub fn print_list<R: Row>(rows: &[R], format: Format) -> Outcome {
    print!("{}", list(rows, format)?);
    Ok(())
}

/// A list as it is printed, to the end of its last line.
fn list<R: Row>(rows: &[R], format: Format) -> Result<String, Failure> {
    Ok(match format {
        Format::Table => format!("{}\n", table(rows)),
        Format::Json => json_pretty(rows)? + "\n",
        Format::Ndjson => rows.iter().map(|row| Ok(json(row)? + "\n")).collect::<Result<_, Failure>>()?,
    })
}

/// Prints one thing: a document for programs, words for people.
pub fn print_one(value: &impl Serialize, format: Format, in_words: impl FnOnce() -> String) -> Outcome {
    print!("{}", one(value, format, in_words)?);
    Ok(())
}

/// One thing as it is printed, to the end of its last line.
fn one(value: &impl Serialize, format: Format, in_words: impl FnOnce() -> String) -> Result<String, Failure> {
    Ok(match format {
        Format::Table => harmless(&in_words()),
        Format::Json => json_pretty(value)? + "\n",
        Format::Ndjson => json(value)? + "\n",
    })
}

/// A value as JSON in a line.
pub fn json(value: &(impl Serialize + ?Sized)) -> Result<String, Failure> {
    Ok(escaped(&serde_json::to_string(value)?))
}

/// A value as JSON for people.
pub fn json_pretty(value: &(impl Serialize + ?Sized)) -> Result<String, Failure> {
    Ok(escaped(&serde_json::to_string_pretty(value)?))
}

/// Text without the characters that speak to a terminal, but for the ends of lines.
pub fn harmless(text: &str) -> String {
    text.chars().map(|character| if speaks(character) && character != '\n' { '\u{fffd}' } else { character }).collect()
}

/// JSON with those characters escaped. Outside of strings it has none but the ends of lines; inside, those below U+0020 are escaped
/// already, and all of them are of one UTF-16 unit.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if speaks(character) && character != '\n' {
            text.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            text.push(character);
        }
    }
    text
}

/// Whether a character moves the cursor, begins a sequence that does worse, or turns the direction of what follows.
fn speaks(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns
}

/// A table without lines; numbers to the right.
pub fn table<R: Row>(rows: &[R]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(R::HEADINGS);
    for row in rows {
        let is_number = |text: &str| {
            !text.is_empty() && text.chars().all(|character| character.is_ascii_digit() || ".,-x".contains(character))
        };
        table.add_row(row.cells().into_iter().map(|text| {
            let alignment = if is_number(&text) { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(harmless(&text)).set_alignment(alignment)
        }));
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// A comment that deletes, hides, colours and turns around what is shown.
    const HOSTILE: &str =
        "a\u{1b}[2J\u{7f}\u{9b}31m\u{85}\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\r\tz ä 語";

    /// What of it is not to be shown.
    const SPEAKING: [char; 13] = [
        '\u{1b}', '\u{7f}', '\u{9b}', '\u{85}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}',
        '\u{2069}', '\r', '\t',
    ];

    #[derive(Serialize)]
    struct Said {
        text: &'static str,
    }

    impl Row for Said {
        const HEADINGS: &'static [&'static str] = &["text"];

        fn cells(&self) -> Vec<String> {
            vec![self.text.to_owned()]
        }
    }

    fn is_harmless(text: &str) -> bool {
        !text.contains(SPEAKING)
    }

    #[test]
    fn nothing_in_a_table_or_in_words_speaks_to_the_terminal() -> Result<(), Failure> {
        for table in [list(&[Said { text: HOSTILE }], Format::Table)?, table(&[Said { text: HOSTILE }]).to_string()] {
            assert!(is_harmless(&table) && table.contains("z ä 語"), "{table:?}");
        }
        let words = one(&Said { text: HOSTILE }, Format::Table, || format!("{HOSTILE}\nnext\n"))?;
        assert!(is_harmless(&words) && words.ends_with("z ä 語\nnext\n"), "{words:?}");
        Ok(())
    }

    #[test]
    fn json_is_escaped_and_stays_the_same_json() -> Result<(), Failure> {
        let said = Said { text: HOSTILE };
        for format in [Format::Json, Format::Ndjson] {
            let alone = one(&said, format, String::new)?;
            let listed = list(&[Said { text: HOSTILE }], format)?;
            for json in [&alone, &listed] {
                assert!(is_harmless(json) && json.contains("\\u009b31m") && json.contains("\\u202e"), "{json:?}");
            }
            let read: Value = serde_json::from_str(&alone)?;
            assert_eq!(read["text"], HOSTILE);
        }
        Ok(())
    }
}
